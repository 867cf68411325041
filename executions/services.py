"""What people ask of executions: run now, retry, replay."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Refused
from chain.events import Event, EventKey, manual_event
from executions import approvals, dispatch, stored_json
from executions.intake import Match, execution_id, take
from executions.models import Attempt, Execution
from executions.states import MAY_LAND, AttemptStatus, Status, may_move
from workflows.models import Workflow

# More than one page of the list, less than a request should take on.
MOST_RETRIED = 200


@transaction.atomic
def execution_run(*, actor: Actor, workflow: Workflow, data: Mapping[str, Any], key: str | None = None) -> str:
    """Run the workflow now, within the same limits as any event; returns the execution id.

    The same `key` (an idempotency key) is the same execution, however often and by whomever it is asked for.

    Raises:
        Refused: the workflow is not enabled; the key has run it with other data.
    """
    workflow = Workflow.objects.get(pk=workflow.pk)
    if not workflow.enabled or workflow.version_id is None:
        raise Refused("the workflow is not enabled", code="workflow_disabled")
    event = manual_event(key or secrets.token_hex(16), data)
    started = execution_id(workflow.id, event.key)
    if _take(workflow, workflow.version_id, event):
        audit.record(actor, "execution_run", "execution", started, target_name=workflow.name)
    elif not _has_event(started, event):
        raise Refused("this Idempotency-Key has run the workflow with other data", code="idempotency_key_reused")
    return started


@transaction.atomic
def execution_retry(*, actor: Actor, execution: Execution) -> Execution:
    """The same row once more, from the start, with the version it had.

    Raises:
        Refused: it is not failed or throttled, or something signed for it may still land.
    """
    row = Execution.objects.select_for_update().get(pk=execution.pk)
    refusal = retry_refusal(row, Attempt.objects.filter(execution_id=row.pk).defer("raw", "logs"))
    if refusal is not None:
        raise refusal
    row.status, row.waiting_for, row.completed_at = Status.PENDING, None, None
    row.error_code = row.error_detail = ""
    row.save(update_fields=["status", "waiting_for", "completed_at", "error_code", "error_detail"])
    approvals.forget(row)
    audit.record(actor, "execution_retried", "execution", row.execution_id)
    transaction.on_commit(lambda: dispatch.wake([row.pk]))
    return row


def executions_retry(*, actor: Actor, executions: Iterable[Execution]) -> list[tuple[Execution, Refused | None]]:
    """Each once more, in a transaction of its own, and why it was refused; one that is refused stops no other.

    A crash on the way leaves those before it retried and the others as they were.
    """
    outcomes: list[tuple[Execution, Refused | None]] = []
    for execution in executions:
        try:
            outcomes.append((execution_retry(actor=actor, execution=execution), None))
        except Refused as refused:
            outcomes.append((execution, refused))
    return outcomes


def retry_refusals(executions: Sequence[Execution]) -> dict[int, Refused]:
    """Why those that cannot be retried now cannot, by the row's id: one query for all."""
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    ids = [execution.id for execution in executions]
    for attempt in Attempt.objects.filter(execution_id__in=ids).defer("raw", "logs"):
        attempts[attempt.execution_id].append(attempt)
    refusals = {execution.id: retry_refusal(execution, attempts[execution.id]) for execution in executions}
    return {row_id: refusal for row_id, refusal in refusals.items() if refusal is not None}


def retry_refusal(execution: Execution, attempts: Iterable[Attempt]) -> Refused | None:
    """Why it cannot be retried, given all its attempts; None if it can."""
    status = Status(execution.status)
    if status not in (Status.FAILED, Status.THROTTLED) or not may_move(status, Status.PENDING):
        return Refused(f"only a failed or throttled execution is retried; this one is {status}", code="not_retryable")
    for attempt in attempts:
        if attempt.status in MAY_LAND:
            detail = f"transaction {attempt.signature} may still land; a retry could pay twice"
            return Refused(detail, code="may_still_land")
        if attempt.status == AttemptStatus.FAILED and attempt.finalized_at is None:
            detail = "its failed transaction is not final yet; a fork could still make it succeed"
            return Refused(detail, code="not_final")
    return None


@transaction.atomic
def execution_replay(*, actor: Actor, execution: Execution, use_current: bool = True) -> str:
    """A new execution of the stored event, with an id of its own that names its origin; returns that id.

    `use_current` runs the workflow's current version, else the one that the original ran.

    Raises:
        Refused: the workflow was deleted or is not enabled.
    """
    workflow = Workflow.objects.select_for_update(no_key=True).get(pk=execution.workflow_id)
    refusal = replay_refusal(workflow)
    if refusal is not None or workflow.version_id is None:
        raise refusal or Refused("the workflow has no definition", code="workflow_disabled")
    # Counted under the workflow's lock, so that two replays at once have two numbers.
    number = Execution.objects.filter(workflow=workflow, replay_of=execution.execution_id).count() + 1
    stored = execution.event
    event = Event(
        type=execution.trigger,
        key=EventKey(execution.execution_id, execution.trigger, str(number)),
        slot=stored.get("slot"),
        signature=stored.get("signature"),
        account=stored.get("account"),
        fields={key: value for key, value in stored.items() if key not in ("type", "slot", "signature", "account")},
    )
    version_id = workflow.version_id if use_current else execution.version_id
    _take(workflow, version_id, event, replay_of=execution.execution_id)
    started = execution_id(workflow.id, event.key)
    audit.record(actor, "execution_replayed", "execution", started, replay_of=execution.execution_id)
    return started


def replay_refusal(workflow: Workflow) -> Refused | None:
    """Why no event of this workflow is replayed; None if they are."""
    if workflow.deleted_at is not None:
        return Refused("the workflow was deleted", code="workflow_disabled")
    if not workflow.enabled:
        return Refused("the workflow is not enabled", code="workflow_disabled")
    return None


def _take(workflow: Workflow, version_id: int, event: Event, replay_of: str | None = None) -> bool:
    """Whether it is a new execution."""
    match = Match(workflow.id, version_id, workflow.team_id, workflow.dry_run, event, replay_of)
    return bool(take([match], detected_at=timezone.now()))


def _has_event(started: str, event: Event) -> bool:
    """Whether the execution is of this very event; nobody can say so of one that was dropped since."""
    row = Execution.objects.filter(execution_id=started).only("event").first()
    return row is None or row.event == orjson.loads(stored_json.dumps(event.as_json()))
