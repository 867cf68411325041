"""The end of executions: status, steps, messages to send and audit entries, in one transaction for a whole batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from executions import dispatch, stored_json
from executions.models import Delivery, RateUnit
from executions.states import Status
from executions.steps import as_json
from workflows.specs.notifications import Notification

AUDIT_ACTION = {
    Status.SUCCESS: "execution_completed",
    Status.FAILED: "execution_failed",
    Status.THROTTLED: "execution_failed",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one execution ends. `token` is the lease that its worker holds, None where it waits for confirmation."""

    id: int
    token: UUID | None
    status: Status
    steps: list[dict[str, Any]] = field(default_factory=list)
    filter_trace: Any = None
    simulation: dict[str, Any] | None = None
    error_code: str = ""
    error_detail: str = ""
    notifications: Sequence[Notification] = ()
    returns_rate: bool = False
    # It began and ended in the same transaction, so both audit entries are written with its end.
    starts: bool = False


# Somebody else's lease, or a row that is final already, takes no row: the count decides what else is written.
_COMPLETE = """
UPDATE executions_execution e SET status = o.status, waiting_for = NULL, lease_token = NULL, lease_until = NULL,
    steps = e.steps || o.steps, filter_trace = COALESCE(o.trace, e.filter_trace),
    simulation = COALESCE(o.simulation, e.simulation), error_code = o.code, error_detail = o.detail,
    completed_at = %s
FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::text[], %s::text[])
    AS o(id, token, status, steps, trace, simulation, code, detail)
WHERE e.id = o.id AND e.status = 'processing' AND e.lease_token IS NOT DISTINCT FROM o.token
RETURNING e.id, e.execution_id, e.team_id, e.workflow_id
"""


def complete(outcomes: Sequence[Outcome], *, now: datetime | None = None) -> set[int]:
    """End these executions, in the caller's transaction; returns the ids of those that were still this caller's to end.

    With the status commit the deliveries and the audit entries; workers are woken for the deliveries on commit.
    """
    if not outcomes:
        return set()
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _COMPLETE,
            [
                now,
                [one.id for one in outcomes],
                [one.token for one in outcomes],
                [one.status.value for one in outcomes],
                [as_json(one.steps) for one in outcomes],
                [_json(one.filter_trace) for one in outcomes],
                [_json(one.simulation) for one in outcomes],
                [one.error_code for one in outcomes],
                [stored_json.clean(one.error_detail) for one in outcomes],
            ],
        )
        done = {row[0]: row[1:] for row in cursor.fetchall()}
    RateUnit.objects.filter(
        execution_id__in=[one.id for one in outcomes if one.id in done and one.returns_rate]
    ).delete()
    _announce([one for one in outcomes if one.id in done], done, now)
    return set(done)


def _announce(ended: Sequence[Outcome], rows: Mapping[int, tuple[str, UUID, UUID]], now: datetime) -> None:
    deliveries = [
        Delivery(
            execution_id=one.id,
            team_id=rows[one.id][1],
            channel_id=notification.channel,
            outcome=one.status.value,
            template=notification.model_dump(mode="json"),
            next_attempt_at=now,
        )
        for one in ended
        for notification in one.notifications
        if one.status.value in notification.on
    ]
    entries = [("execution_started", one.id, {}) for one in ended if one.starts]
    entries += [
        (AUDIT_ACTION[one.status], one.id, {"status": one.status.value, "error": one.error_code})
        for one in ended
        if one.status in AUDIT_ACTION
    ]
    record_for_audit([(action, *rows[row_id], detail) for action, row_id, detail in entries], now)
    if deliveries:
        Delivery.objects.bulk_create(deliveries)
        transaction.on_commit(dispatch.wake_notify)


def record_for_audit(entries: Sequence[tuple[str, str, UUID, UUID, dict[str, str]]], now: datetime) -> None:
    """Audit entries of many executions in one statement: (action, execution id, team, workflow, detail) each."""
    if not entries:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_auditentry"
            " (team_id, at, actor, address, action, target_type, target_id, target_name, detail)"
            " SELECT team_id, %s, 'system:worker', NULL, action, 'execution', target_id, '', detail"
            " FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::jsonb[]) AS e(action, target_id, team_id, detail)",
            [
                now,
                [action for action, *_ in entries],
                [execution_id for _, execution_id, *_ in entries],
                [team_id for _, _, team_id, _, _ in entries],
                [stored_json.dumps({"workflow": str(workflow_id), **detail}) for *_, workflow_id, detail in entries],
            ],
        )


def _json(value: Any) -> str | None:
    return None if value is None else stored_json.dumps(value)
