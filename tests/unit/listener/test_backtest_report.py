"""What a backtest prints."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chain.events import schedule_event
from listener.backtest.filter_words import why_not
from listener.backtest.past import due_past
from listener.backtest.report import SHOWN, document, lines
from listener.backtest.results import Backtest, Candidate, Decided, Outcome, Past, Refusal, Spending
from workflows.matching import Mismatch, evaluate
from workflows.specs.triggers import Schedule
from workflows.specs.workflow import parse

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVENT = schedule_event(AT, missed=0)


def decided(outcome: Outcome, **more: Any) -> Decided:
    if outcome == "no_match":
        return Decided(Candidate(AT, "+1 SOL", 7, "sig", reason=Mismatch("other_direction", "it rose")), outcome)
    return Decided(Candidate(AT, "+1 SOL", 7, "sig", EVENT), outcome, {"met": True}, **more)


def backtest(*found: Decided, notes: tuple[str, ...] = ()) -> Backtest:
    past = Past(AT, AT + timedelta(hours=1), tuple(one.candidate for one in found), 1, 9000, len(found), notes)
    return Backtest("pay", "id", 3, "balance_change", 9000, past, found)


RATE = Refusal("rate_limited", "10 in the hour before are the limit", "max_executions_per_hour")


def test_the_totals_add_up_what_would_have_run_only() -> None:
    spent = Spending(6_000, {"mint": 5}, "simulation")
    above = Refusal("limit_exceeded", "above max_lamports_per_tx (5)", "max_lamports_per_tx")
    shown = backtest(
        decided("success", spending=spent),
        decided("success", spending=spent, needs_approval=True),
        decided("failed", spending=spent, refusals=(above,)),
        decided("throttled", refusals=(RATE,)),
        decided("filtered"),
        decided("no_match"),
    )
    totals = shown.totals
    assert (totals.candidates, totals.matched, totals.passed_filter, totals.would_run) == (6, 5, 4, 2)
    assert (totals.throttled, totals.failed, totals.need_approval) == (1, 1, 1)
    assert (totals.spent_lamports, totals.spent_tokens) == (12_000, {"mint": 10})
    assert totals.limits == {"max_lamports_per_tx": 1, "max_executions_per_hour": 1}
    text = "\n".join(lines(shown))
    assert "12,000  lamports = 0.000012 SOL, fees included" in text
    assert "max_executions_per_hour would have tripped 1 time" in text
    assert "+1 SOL: it rose" in text
    assert "the others: 1 other_direction" in text


def test_long_lists_are_cut_at_the_front_and_say_so() -> None:
    shown = backtest(*(decided("success") for _ in range(SHOWN + 5)))
    short, whole = "\n".join(lines(shown)), "\n".join(lines(shown, everything=True))
    assert f"Matches: {SHOWN + 5} (the last {SHOWN}; --all shows every one)" in short
    assert short.count("would run") == SHOWN
    assert whole.count("would run") == SHOWN + 5


def test_what_was_left_out_is_a_note_and_in_the_document() -> None:
    shown = backtest(decided("no_match"), notes=("more than 1 transactions: nothing before slot 5 was looked at",))
    assert any("nothing before slot 5 was looked at" in line for line in lines(shown))
    written = json.loads(json.dumps(document(shown)))
    assert (written["is_whole"], len(written["notes"])) == (False, 1)
    assert written["candidates"][0]["reason"] == {"code": "other_direction", "detail": "it rose"}


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"field": "event.lamports", "op": "gte", "value": 9}, "event.lamports gte 9, saw 5"),
        ({"field": "event.absent", "op": "exists"}, "event.absent exists, the field is missing"),
        (
            {
                "all": [
                    {"field": "event.lamports", "op": "eq", "value": 5},
                    {"field": "event.owner", "op": "eq", "value": "b"},
                ]
            },
            'event.owner eq "b", saw "a\\u001b"',
        ),
        (
            {
                "any": [
                    {"field": "event.lamports", "op": "eq", "value": 1},
                    {"field": "event.lamports", "op": "eq", "value": 2},
                ]
            },
            "event.lamports eq 1, saw 5; event.lamports eq 2, saw 5",
        ),
        ({"not": {"field": "event.lamports", "op": "eq", "value": 5}}, "not (event.lamports eq 5, saw 5)"),
    ],
)
def test_a_filter_that_says_no_is_told_by_what_decided(filter_: dict[str, Any], expected: str) -> None:
    spec = parse({"trigger": {"type": "manual"}, "filter": filter_})
    result = evaluate(spec.filter, {"lamports": 5, "owner": "a\x1b"})
    assert not result.met
    assert why_not(result.trace) == expected


def test_due_times_lie_within_as_much_time_as_the_slots_take() -> None:
    every_minute = Schedule(type="schedule", cron="* * * * *")
    past = due_past(every_minute, slots=9000, most=1000)
    assert 59 <= len(past.candidates) <= 61
    assert all(past.since < one.at <= past.until for one in past.candidates)
    cut = due_past(every_minute, slots=9000, most=10)
    assert [one.at for one in cut.candidates] == [one.at for one in past.candidates[-10:]]
    assert cut.notes == ("more than 10 due times: only the newest were looked at",)
