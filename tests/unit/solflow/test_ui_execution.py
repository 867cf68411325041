"""What the page of an execution is made of: statuses, timeline, logs, trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from executions.states import AttemptStatus, DeliveryStatus, Status, Step, WaitingFor
from solflow.ui import statuses
from solflow.ui.logs import log_rows
from solflow.ui.timeline import STEP_WORDS, timeline
from solflow.ui.trace import trace_node
from workflows.matching.filters import evaluate
from workflows.specs.workflow import parse

START = datetime(2026, 11, 22, 14, 10, 11, tzinfo=UTC)


def step(name: str, after_ms: int, detail: object = None) -> dict[str, object]:
    return {"name": name, "at": (START + timedelta(milliseconds=after_ms)).isoformat(), "detail": detail}


def test_every_status_of_the_ledger_has_a_look() -> None:
    assert set(statuses.EXECUTION) == {status.value for status in Status}
    assert set(statuses.WAITING) == {waiting.value for waiting in WaitingFor}
    assert set(statuses.TRANSACTION) == {"simulated", *(status.value for status in AttemptStatus)}
    assert set(statuses.DELIVERY) == {status.value for status in DeliveryStatus}


def test_every_step_of_the_ledger_has_words() -> None:
    assert {name.value for name in Step} <= set(STEP_WORDS)


def test_what_an_execution_waits_for_outranks_its_status() -> None:
    assert statuses.execution_look("processing", "person").word == "Needs a decision"


def test_a_dry_run_never_reads_as_a_success() -> None:
    assert statuses.execution_look("success", None, dry_run=True).word == "Dry run"
    assert statuses.execution_look("failed", None, dry_run=True).word == "Failed"


@pytest.mark.parametrize(
    ("enabled", "paused", "word"), [(True, False, "Active"), (True, True, "Paused"), (False, True, "Disabled")]
)
def test_a_disabled_workflow_reads_as_disabled_even_when_paused(enabled: bool, paused: bool, word: str) -> None:
    assert statuses.workflow_look(enabled, paused).word == word


def test_each_step_covers_the_time_since_the_one_before() -> None:
    rows = timeline([step("detected", 0), step("queued", 4), step("sent", 100)]).rows
    assert [row.took for row in rows] == ["0 ms", "+4 ms", "+96 ms"]
    assert [row.at for row in rows] == ["0 ms", "4 ms", "100 ms"]
    assert rows[2].bar is not None
    assert (rows[2].bar.x, rows[2].bar.width) == ("4.00%", "96.00%")


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({"by": "user:bob", "claim": "landed", "sign_again": False}, "user:bob: it has landed"),
        ({"by": "user:bob", "claim": "not_landed", "sign_again": False}, "user:bob: it has not landed"),
        ({"by": "user:bob", "claim": "not_landed", "sign_again": True}, "user:bob: it has not landed, sign again"),
    ],
)
def test_a_persons_decision_is_told_in_words(detail: dict[str, object], words: str) -> None:
    (row,) = timeline([step("resolved", 0, {**detail, "chain": "1 endpoint searched the history"})]).rows
    assert (row.label, row.detail) == ("Decided by a person", words)


def test_the_scale_ends_where_the_work_was_done_not_at_finality() -> None:
    waterfall = timeline([step("detected", 0), step("confirmed", 400), step("finalized", 13_000)])
    assert waterfall.total_ms == 400
    assert waterfall.ticks == ["0", "100 ms", "200 ms", "300 ms", "400 ms"]
    assert waterfall.rows[2].bar is None


def test_a_failure_stands_where_it_happened() -> None:
    steps = [step("detected", 0), step("sent", 100), step("notified", 900)]
    rows = timeline(steps, START + timedelta(milliseconds=700), "the program refused").rows
    assert [row.label for row in rows] == ["Detected", "Sent", "Failed", "Notified"]
    assert (rows[2].css, rows[2].detail) == ("s-fail", "the program refused")


def test_a_transaction_that_landed_with_an_error_does_not_read_as_good() -> None:
    rows = timeline(
        [step("confirmed", 0, {"signature": "a" * 88, "slot": 7, "error": {"InstructionError": [0, 1]}})]
    ).rows
    assert rows[0].css == "s-fail"


def test_a_message_that_never_arrived_does_not_read_as_good() -> None:
    rows = timeline([step("notified", 0, {"channel": "7d3c", "status": "dead", "attempts": 7})]).rows
    assert (rows[0].css, rows[0].detail) == ("s-wait", "status dead, attempts 7")


def test_times_that_run_backwards_make_no_negative_bar() -> None:
    rows = timeline([step("detected", 50), step("queued", 0), step("sent", 10)]).rows
    assert all(row.took_ms >= 0 for row in rows)


def test_an_execution_without_steps_has_an_empty_timeline() -> None:
    assert timeline([]).rows == []


def test_log_lines_are_indented_by_the_depth_of_their_program() -> None:
    rows = log_rows(
        [
            "Program A invoke [1]",
            "Program log: outer",
            "Program B invoke [2]",
            "Program log: inner",
            "Program B consumed 5 of 9 compute units",
            "Program B success",
            "Program A failed: custom program error: 0x1771",
        ]
    )
    assert [(row.depth, row.css) for row in rows] == [
        (1, "inv"),
        (2, ""),
        (2, "inv"),
        (3, ""),
        (3, "dim"),
        (2, "suc"),
        (1, "err"),
    ]


def test_a_program_cannot_log_its_way_into_the_runtimes_words() -> None:
    [row] = log_rows(["Program log: Program B invoke [4]"])
    assert row.css == ""


def test_cut_logs_and_returns_without_an_invocation_are_taken_as_they_come() -> None:
    assert [row.depth for row in log_rows(["Program A success", "Log truncated"])] == [1, 1]


def test_a_trace_says_what_each_condition_saw_and_what_was_not_needed() -> None:
    definition = {
        "schema": 1,
        "trigger": {"type": "manual"},
        "filter": {
            "all": [
                {"field": "event.lamports_delta", "op": "gte", "value": 500_000_000},
                {"not": {"field": "event.mint", "op": "exists"}},
                {
                    "any": [
                        {"field": "event.slot", "op": "gt", "value": 9},
                        {"field": "event.slot", "op": "gt", "value": 1},
                    ]
                },
            ]
        },
    }
    result = evaluate(parse(definition).filter, {"lamports_delta": 600_000_000, "slot": 10})
    node = trace_node(result.trace)
    delta, negated, either = node.children
    assert (node.css, node.words) == ("s-ok", "All of")
    assert delta.words == "event.lamports_delta at least 500,000,000 (0.5 SOL)"
    assert delta.saw == "600,000,000 (0.6 SOL)"
    assert (negated.words, negated.children[0].css, negated.children[0].note) == (
        "Not",
        "s-fail",
        "the field is missing",
    )
    assert (either.children[1].css, either.children[1].note) == ("s-idle", "not needed")


def test_a_workflow_without_a_filter_has_a_trace_that_says_so() -> None:
    node = trace_node(evaluate(None, {}).trace)
    assert (node.css, node.words) == ("s-ok", "No filter")
