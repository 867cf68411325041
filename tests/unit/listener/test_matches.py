"""Observations and audiences -> events of workflows."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from chain.types import AccountSample
from listener.matches import of_logs, of_transition
from listener.observations import TransactionLogs
from listener.registry import Audience, Wanted
from listener.transitions import Transition
from listener.watches import Watch
from workflows.specs.workflow import parse

PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
OTHER = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
SIGNATURE = "5" * 87


def wanted(trigger: dict[str, Any], enabled_at_slot: int = 0) -> Wanted:
    spec = parse({"schema": 1, "trigger": trigger, "actions": [], "notifications": []})
    watch = Watch("logs" if trigger["type"] == "program_log" else "balance", PROGRAM, "confirmed")
    return Wanted(uuid4(), uuid4(), 1, enabled_at_slot, False, watch, spec.trigger)


def audience(*members: Wanted) -> Audience:
    return Audience(1, 0, members[0].watch, members)


def by_pattern(pattern: str, enabled_at_slot: int = 0, **more: Any) -> Wanted:
    return wanted({"type": "program_log", "program_id": PROGRAM, "pattern": pattern, **more}, enabled_at_slot)


def written(*lines: str, err: Any = None, slot: int = 10) -> TransactionLogs:
    return TransactionLogs(1, slot, SIGNATURE, err, lines, 0.0)


INVOKED = f"Program {PROGRAM} invoke [1]"
DONE = f"Program {PROGRAM} success"


def indexes(seen: TransactionLogs, member: Wanted) -> list[str]:
    return [event.key.index for _, event in of_logs(seen, audience(member))]


def test_each_matching_line_is_an_event_of_its_own() -> None:
    seen = written(INVOKED, "Program log: paid 1", "Program log: nothing", "Program log: paid 2", DONE)

    assert indexes(seen, by_pattern("^paid")) == ["log.0", "log.2"]


def test_a_line_of_another_program_never_matches() -> None:
    seen = written(INVOKED, f"Program {OTHER} invoke [2]", "Program log: paid", f"Program {OTHER} success", DONE)

    assert indexes(seen, by_pattern("paid")) == []


def test_a_program_cannot_speak_as_another_by_what_it_writes() -> None:
    forged = f"Program log: Program {PROGRAM} invoke [1]"
    seen = written(f"Program {OTHER} invoke [1]", forged, "Program log: paid", f"Program {OTHER} success")

    assert indexes(seen, by_pattern("paid")) == []


def test_a_failed_transaction_matches_only_where_it_is_asked_for() -> None:
    seen = written(INVOKED, "Program log: paid", err={"InstructionError": [0, "Custom"]})

    assert indexes(seen, by_pattern("paid")) == []
    assert indexes(seen, by_pattern("paid", include_failed=True)) == ["log.0"]


def test_what_happened_up_to_the_enabling_never_matches() -> None:
    seen = written(INVOKED, "Program log: paid", DONE, slot=10)

    assert indexes(seen, by_pattern("paid", enabled_at_slot=10)) == []
    assert indexes(seen, by_pattern("paid", enabled_at_slot=9)) == ["log.0"]


def test_a_cut_log_without_a_match_is_one_event_that_says_so() -> None:
    (found,) = of_logs(written(INVOKED, "Program log: a", "Log truncated"), audience(by_pattern("paid")))

    _, event = found
    assert (event.key.index, event.fields["line"], event.fields["logs_truncated"]) == ("log.truncated", None, True)


def test_a_cut_log_matches_by_the_lines_that_are_left() -> None:
    seen = written(INVOKED, "Program log: paid", "Log truncated")

    assert indexes(seen, by_pattern("paid")) == ["log.0"]


def test_a_cut_log_can_be_ignored() -> None:
    seen = written(INVOKED, "Program log: a", "Log truncated")

    assert indexes(seen, by_pattern("paid", on_truncated="ignore")) == []


def test_a_transition_carries_what_was_before() -> None:
    member = wanted({"type": "balance_change", "address": PROGRAM})
    change = Transition(1, PROGRAM, AccountSample(5, 100), AccountSample(9, 70), True, 0.0)

    ((_, event),) = of_transition(change, audience(member))

    assert event.key.slot == "9"
    assert (event.fields["previous_lamports"], event.fields["lamports_delta"], event.fields["catch_up"]) == (
        100,
        -30,
        True,
    )


def test_a_transition_at_the_slot_of_the_enabling_is_before_it() -> None:
    member = wanted({"type": "balance_change", "address": PROGRAM}, enabled_at_slot=9)
    change = Transition(1, PROGRAM, AccountSample(5, 100), AccountSample(9, 70), False, 0.0)

    assert list(of_transition(change, audience(member))) == []


def test_a_transition_that_is_too_small_is_not_wanted() -> None:
    member = wanted({"type": "balance_change", "address": PROGRAM, "min_change": 31})
    change = Transition(1, PROGRAM, AccountSample(5, 100), AccountSample(9, 70), False, 0.0)

    assert list(of_transition(change, audience(member))) == []
