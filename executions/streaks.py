"""Failures in a row: counted where executions end; at the workflow's `pause_after_failures` it is paused.

1. A failure adds one, a success sets back to 0; filtered and throttled executions say nothing.
2. Counted in the transaction that ends the executions, under the workflow's lock, in the order in which they are given.
3. Lifting the pause and a new version set back to 0 too (workflows.services.workflow).

Successes are the hot path: executions.completion sets them back inside its own statement, and comes here only with a
batch that has a failure in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from executions.automatic_pauses import pause_workflow
from executions.states import Status
from workflows.models import Workflow

# Anyone can bring these about, or nobody did: an event that came late, a fork, a log cut by whoever wrote it, a person
# who deleted the workflow or gave the execution up. If they counted, an outsider could pause what he does not like.
NOT_COUNTED = frozenset(
    {
        "logs_truncated",
        "event_too_old",
        "dropped_by_fork",
        "workflow_deleted",
        "given_up",
        "approval_refused",
        "approval_expired",
    }
)
LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class End:
    """An execution that has just ended. `execution_id` is the row's; code and detail are empty unless it failed."""

    execution_id: int
    workflow_id: UUID
    status: Status
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """So many failures in a row are enough; `last` was the one that made them so many."""

    failures: int
    last: End

    @property
    def reason(self) -> str:
        some = "1 failure" if self.failures == 1 else f"{self.failures} failures in a row"
        why = f"{self.last.code}: {self.last.detail}" if self.last.detail else self.last.code
        shown = why if len(why) <= LONGEST_DETAIL else f"{why[:LONGEST_DETAIL]}…"
        return f"paused after {some}; the last: {shown}"


def counts(status: Status, code: str) -> bool:
    """Whether an end is a failure that counts."""
    return status is Status.FAILED and code not in NOT_COUNTED


def follow(failures: int, ends: Sequence[End], limit: int | None) -> tuple[int, Reached | None]:
    """The streak of one workflow after these ends, oldest first, and the first time that it reached `limit`."""
    reached = None
    for end in ends:
        if end.status is Status.SUCCESS:
            failures = 0
        elif counts(end.status, end.code):
            failures += 1
            if reached is None and limit is not None and failures >= limit:
                reached = Reached(failures, end)
    return failures, reached


def recoveries(failures: int, ends: Sequence[End]) -> dict[int, int]:
    """The successes of one workflow that came after failures: how many, by the id of the execution's row."""
    found: dict[int, int] = {}
    for end in ends:
        if end.status is Status.SUCCESS and failures:
            found[end.execution_id] = failures
        failures, _ = follow(failures, [end], None)
    return found


@dataclass(frozen=True, slots=True)
class Counted:
    """What a batch of ends came to: workflows that reached their limit, and successes after failures."""

    reached: Sequence[tuple[UUID, Reached]]
    recovered: Mapping[int, int]


def count(ends: Sequence[End]) -> Counted:
    """Count these ends, in the transaction that ended them and holds their rows."""
    by_workflow: dict[UUID, list[End]] = defaultdict(list)
    for end in ends:
        by_workflow[end.workflow_id].append(end)
    failing = {end.workflow_id for end in ends if counts(end.status, end.code)}
    moved = Q(pk__in=failing) | Q(pk__in=list(by_workflow), failures_in_row__gt=0)
    reached_by: list[tuple[UUID, Reached]] = []
    recovered: dict[int, int] = {}
    locked = Workflow.objects.select_for_update(no_key=True).filter(moved).order_by("pk")
    for pk, before, limit in locked.values_list("pk", "failures_in_row", "pause_after_failures"):
        after, reached = follow(before, by_workflow[pk], limit)
        if after != before:
            Workflow.objects.filter(pk=pk).update(failures_in_row=after)
        recovered |= recoveries(before, by_workflow[pk])
        if reached is not None:
            reached_by.append((pk, reached))
    return Counted(reached_by, recovered)


def pause_reached(counted: Counted, now: datetime) -> None:
    """Pause what has reached its limit, in the same transaction."""
    for pk, reached in counted.reached:
        pause_workflow(workflow_id=pk, reason=reached.reason, execution_id=reached.last.execution_id, now=now)
