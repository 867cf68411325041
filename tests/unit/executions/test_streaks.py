"""Failures in a row: what counts, in which order, and when it is enough."""

from __future__ import annotations

from uuid import UUID

import pytest

from executions.states import Status
from executions.streaks import NOT_COUNTED, End, Reached, counts, follow

WORKFLOW = UUID(int=1)


def ends(story: str) -> list[End]:
    """`f` a failure, `s` a success, `x` a filtered one, `t` a throttled one, `o` a failure that outsiders can cause."""
    kinds = {
        "f": (Status.FAILED, "build_failed"),
        "s": (Status.SUCCESS, ""),
        "x": (Status.FILTERED, ""),
        "t": (Status.THROTTLED, "rate_limited"),
        "o": (Status.FAILED, "logs_truncated"),
    }
    return [End(number, WORKFLOW, *kinds[kind]) for number, kind in enumerate(story)]


@pytest.mark.parametrize(
    ("before", "story", "after"),
    [
        (0, "f", 1),
        (2, "ff", 4),
        (2, "s", 0),
        (2, "fsf", 1),
        (2, "xt", 2),
        (2, "o", 2),
        (0, "fxfof", 3),
    ],
)
def test_failures_add_up_until_a_success_and_other_ends_say_nothing(before: int, story: str, after: int) -> None:
    assert follow(before, ends(story), None) == (after, None)


@pytest.mark.parametrize(
    ("before", "story", "limit", "failures", "last"),
    [(0, "fff", 3, 3, 2), (2, "f", 3, 3, 0), (0, "sffs", 2, 2, 2), (7, "f", 3, 8, 0), (0, "f", 1, 1, 0)],
)
def test_the_failure_that_reaches_the_limit_is_the_one_told_even_when_a_success_follows(
    before: int, story: str, limit: int, failures: int, last: int
) -> None:
    _, reached = follow(before, ends(story), limit)
    assert reached is not None
    assert (reached.failures, reached.last.execution_id) == (failures, last)


@pytest.mark.parametrize(("story", "limit"), [("ff", 3), ("fsfsf", 2), ("ooooo", 2), ("fffff", None)])
def test_less_than_the_limit_in_a_row_reaches_nothing(story: str, limit: int | None) -> None:
    assert follow(0, ends(story), limit)[1] is None


def test_what_outsiders_or_circumstances_bring_about_is_no_failure_of_the_workflow() -> None:
    assert {"logs_truncated", "event_too_old", "dropped_by_fork", "workflow_deleted"} <= NOT_COUNTED
    assert not any(counts(Status.FAILED, code) for code in NOT_COUNTED)
    assert counts(Status.FAILED, "simulation_failed") and not counts(Status.SUCCESS, "")


@pytest.mark.parametrize(
    ("failures", "code", "detail", "reason"),
    [
        (5, "build_failed", "no such mint", "paused after 5 failures in a row; the last: build_failed: no such mint"),
        (1, "build_failed", "", "paused after 1 failure; the last: build_failed"),
    ],
)
def test_the_reason_names_the_number_and_the_last_failure(failures: int, code: str, detail: str, reason: str) -> None:
    assert Reached(failures, End(1, WORKFLOW, Status.FAILED, code, detail)).reason == reason


def test_a_long_detail_is_cut_in_the_reason() -> None:
    reason = Reached(5, End(1, WORKFLOW, Status.FAILED, "build_failed", "x" * 5000)).reason
    assert len(reason) < 400 and reason.endswith("…")
