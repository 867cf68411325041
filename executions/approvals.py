"""A person's yes to a payment above the workflow's `approval_above_lamports` (engine.md, section 3.4).

    simulated, within every limit, above the threshold
        └─► asked    nothing is reserved; the row is pending and `waiting_for: approval`, without a lease
              ├─ approved by as many people as the workflow's `approvers`
              │             ─► it is built and simulated again, under the limits of then, and signed
              ├─ refused  ─► failed, `approval_refused`
              └─ nobody answers in `approval_expires_s` ─► failed, `approval_expired`

1. An approval covers at most the lamports and tokens that were shown, for this execution on this version. More going
   out the second time asks again.
2. It is looked at in the transaction that signs, under the workflow's lock, after every other limit.
3. Each yes is another person's: a second of the same one is refused. Any of them may refuse as long as it waits.
4. A retry is a new decision: what was approved before does not count for it.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Refused
from executions import dispatch, steps, stored_json, timing
from executions.claims import Claimed
from executions.completion import Outcome, complete
from executions.crashpoints import reach
from executions.definitions import spec_of
from executions.errors import ApprovalNeeded
from executions.figures import sol
from executions.messages import APPROVAL
from executions.models import Approval, Delivery, Execution
from executions.outflow import Outflow
from executions.states import Status, Step, WaitingFor
from workflows.models import Workflow

EXPIRED_AT_ONCE = 100


def require(claimed: Claimed, workflow: Workflow, outflow: Outflow) -> None:
    """Let this outflow pass, in the caller's transaction under the workflow's lock.

    Raises:
        ApprovalNeeded: it is above the threshold, and no approval covers it.
    """
    threshold = workflow.approval_above_lamports
    if threshold is None or outflow.lamports <= threshold:
        return
    given = Approval.objects.filter(execution_id=claimed.id, version_id=claimed.version_id, status=Approval.APPROVED)
    if not any(one.covers(outflow.lamports, outflow.tokens) for one in given):
        raise ApprovalNeeded(outflow.lamports, outflow.tokens, threshold)


def ask(
    claimed: Claimed,
    needed: ApprovalNeeded,
    done: list[dict[str, Any]],
    filter_trace: dict[str, Any],
    simulation: dict[str, Any] | None,
) -> bool:
    """Set the execution aside until a person answers, and tell its workflow's channels; False if it is somebody
    else's by now. One transaction: a crash before its commit leaves the lease, which runs out."""
    now = timezone.now()
    with transaction.atomic():
        workflow = Workflow.objects.get(pk=claimed.workflow_id)
        mine = Execution.objects.filter(pk=claimed.id, status=Status.PROCESSING, lease_token=claimed.token)
        is_mine = mine.update(
            status=Status.PENDING,
            waiting_for=WaitingFor.APPROVAL,
            lease_token=None,
            lease_until=None,
            filter_trace=_storable(filter_trace),
            simulation=_storable(simulation),
        )
        if not is_mine:
            return False
        steps.add([claimed.id], done)
        Approval.objects.filter(execution_id=claimed.id).exclude(status=Approval.REFUSED).delete()
        asked = Approval.objects.create(
            execution_id=claimed.id,
            team_id=claimed.team_id,
            version_id=claimed.version_id,
            lamports=needed.lamports,
            tokens=needed.tokens,
            asked_at=now,
            expires_at=now + timing.delta(workflow.approval_expires_s),
            needed=workflow.approvers,
        )
        _tell(claimed, needed, asked.expires_at, now)
        reach("asking")
    return True


def _storable(value: Any) -> Any:
    return orjson.loads(stored_json.dumps(value))


def _tell(claimed: Claimed, needed: ApprovalNeeded, expires_at: datetime, now: datetime) -> None:
    channels = sorted({one.channel for one in spec_of(claimed.version_id).notifications})
    reason = f"{needed.detail}. Approve or refuse it in SolFlow until {expires_at:%Y-%m-%d %H:%M} UTC"
    Delivery.objects.bulk_create(
        Delivery(
            execution_id=claimed.id,
            team_id=claimed.team_id,
            channel_id=channel,
            outcome=APPROVAL,
            template={"reason": reason},
            next_attempt_at=now,
        )
        for channel in channels
    )
    if channels:
        transaction.on_commit(dispatch.wake_notify)


@transaction.atomic
def execution_approve(*, actor: Actor, execution: Execution) -> Execution:
    """Let it be signed, if no more goes out than was shown, as soon as enough people have said so.

    Raises:
        Refused: `not_waiting`; `approval_expired`; `already_approved` by the same person.
    """
    row, asked = _waiting(execution)
    now = timezone.now()
    if asked.expires_at <= now:
        raise Refused("the time to approve it is over", code="approval_expired")
    if actor.person in asked.approved_by:
        raise Refused(f"{actor.person} has approved it; another person has to", code="already_approved")
    asked.approved_by = [*asked.approved_by, actor.person]
    asked.save(update_fields=["approved_by"])
    if len(asked.approved_by) >= asked.needed:
        _answer(asked, Approval.APPROVED, actor.name, now)
        row.waiting_for = None
        row.save(update_fields=["waiting_for"])
        transaction.on_commit(partial(dispatch.wake, [row.pk]))
    shown = {"by": actor.name, "lamports": asked.lamports, "tokens": asked.tokens}
    steps.append([row.pk], Step.APPROVED, now, shown)
    audit.record(
        actor, "execution_approved", "execution", row.execution_id, lamports=asked.lamports, tokens=asked.tokens
    )
    return row


@transaction.atomic
def execution_reject(*, actor: Actor, execution: Execution) -> Execution:
    """End it as failed. Nothing was signed or reserved.

    Raises:
        Refused: `not_waiting`.
    """
    row, asked = _waiting(execution)
    now = timezone.now()
    _answer(asked, Approval.REFUSED, actor.name, now)
    _fail(row, "approval_refused", f"{actor.name} refused {sol(asked.lamports)}", now)
    audit.record(actor, "execution_rejected", "execution", row.execution_id, lamports=asked.lamports)
    return Execution.objects.get(pk=row.pk)


def expire_due() -> int:
    """End what nobody has answered in time; how many these were."""
    now = timezone.now()
    due = Approval.objects.filter(status=Approval.WAITING, expires_at__lte=now).order_by("expires_at")
    ended = 0
    for row_id in list(due.values_list("execution_id", flat=True)[:EXPIRED_AT_ONCE]):
        with transaction.atomic():
            row = Execution.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=row_id).first()
            asked = Approval.objects.filter(execution_id=row_id, status=Approval.WAITING).first()
            if row is None or asked is None:
                continue
            _answer(asked, Approval.EXPIRED, "", now)
            if _is_waiting(row):
                _fail(row, "approval_expired", f"nobody approved {sol(asked.lamports)} in time", now)
                ended += 1
    return ended


def forget(execution: Execution) -> None:
    """What was approved before counts no more: the execution is retried."""
    Approval.objects.filter(execution_id=execution.pk, status=Approval.APPROVED).update(status=Approval.EXPIRED)


def _is_waiting(row: Execution) -> bool:
    return row.status == Status.PENDING and row.waiting_for == WaitingFor.APPROVAL


def _waiting(execution: Execution) -> tuple[Execution, Approval]:
    row = Execution.objects.select_for_update(no_key=True).get(pk=execution.pk)
    asked = Approval.objects.filter(execution_id=row.pk, status=Approval.WAITING).first()
    if asked is None or not _is_waiting(row):
        raise Refused("this execution does not wait for an approval", code="not_waiting")
    return row, asked


def _answer(asked: Approval, status: str, by: str, now: datetime) -> None:
    asked.status, asked.answered_by, asked.answered_at = status, by, now
    asked.save(update_fields=["status", "answered_by", "answered_at"])


def _fail(row: Execution, code: str, detail: str, now: datetime) -> None:
    outcome = Outcome(
        row.pk,
        None,
        Status.FAILED,
        error_code=code,
        error_detail=detail,
        notifications=spec_of(row.version_id).notifications,
        returns_rate=True,
    )
    complete([outcome], now=now, held=True)
