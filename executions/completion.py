"""The end of executions: status, steps, messages to send and audit entries, in one transaction for a whole batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.prepared import prepared_cursor
from executions import dispatch, gathering, live, stored_json, streaks
from executions.messages import RECOVERED
from executions.models import Delivery, RateUnit
from executions.states import Status
from executions.steps import as_json
from executions.streaks import End
from executions.trail import EACH_TOLD
from workflows.specs.notifications import Notification

log = structlog.get_logger(__name__)

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


# Somebody else's lease, or a row that is final already, takes no row: what came back decides what else is written.
# Arrays of text go as binary (`%b`), '' for what is not there: else Python would escape each quotation mark of each.
_COMPLETE = """
WITH o AS (
    SELECT * FROM unnest(
        %(ids)s::bigint[], %(tokens)s::uuid[], %(statuses)b::text[], %(steps)b::text[], %(traces)b::text[],
        %(simulations)b::text[], %(codes)b::text[], %(details)b::text[], %(started)s::bool[], %(actions)b::text[])
        AS o(id, token, status, steps, trace, simulation, code, detail, starts, action)
), done AS (
    UPDATE executions_execution e SET status = o.status, waiting_for = NULL, lease_token = NULL, lease_until = NULL,
        steps = e.steps || o.steps::jsonb, filter_trace = COALESCE(NULLIF(o.trace, '')::jsonb, e.filter_trace),
        simulation = COALESCE(NULLIF(o.simulation, '')::jsonb, e.simulation),
        error_code = o.code, error_detail = o.detail, completed_at = %(now)s
    FROM o
    WHERE e.id = o.id AND e.status = ANY(%(from)s) AND e.lease_token IS NOT DISTINCT FROM o.token
    RETURNING e.id, e.team_id, e.execution_id, e.workflow_id
), entries AS (
    SELECT done.*, 'execution_started' AS action, '{}'::jsonb AS more FROM done JOIN o USING (id) WHERE o.starts
    UNION ALL
    SELECT done.*, o.action, jsonb_build_object('status', o.status, 'error', o.code) FROM done JOIN o USING (id)
    WHERE o.action <> ''
), audited AS (
    INSERT INTO accounts_auditentry (team_id, actor, action, target_type, target_id, target_name, detail)
    SELECT team_id, 'system:worker', action, 'execution', execution_id, '',
        jsonb_build_object('workflow', workflow_id) || more FROM entries
), calmed AS (
    SELECT id, failures_in_row FROM workflows_workflow WHERE failures_in_row > 0
        AND id IN (SELECT workflow_id FROM done JOIN o USING (id) WHERE o.status = 'success' AND %(calm)s)
    ORDER BY id FOR NO KEY UPDATE
), set_back AS (
    UPDATE workflows_workflow w SET failures_in_row = 0 FROM calmed WHERE w.id = calmed.id
)
SELECT done.id, done.execution_id, done.team_id, done.workflow_id, CASE WHEN w.ordered THEN (
    SELECT n.id FROM executions_execution n
    WHERE n.workflow_id = w.id AND n.id > done.id AND n.status = 'pending' AND n.waiting_for IS NULL
    ORDER BY n.id LIMIT 1) END, calmed.failures_in_row
FROM done JOIN workflows_workflow w ON w.id = done.workflow_id LEFT JOIN calmed ON calmed.id = done.workflow_id
"""


class _Ended(NamedTuple):
    """A row that was this caller's to end; `successor` is what waited for it in an `ordered` workflow, `calmed` how
    many failures in a row its workflow had, in a batch without another one."""

    id: int
    execution_id: str
    team_id: UUID
    workflow_id: UUID
    successor: int | None
    calmed: int | None


def complete(outcomes: Sequence[Outcome], *, now: datetime | None = None, held: bool = False) -> set[int]:
    """End these executions, in the caller's transaction; returns the ids of those that were still this caller's to end.

    With the status commit the audit entries, the deliveries and the workflows' failures in a row, which may pause them;
    workers are woken for the deliveries on commit. `held` rows are locked by this transaction (executions.claims.hold)
    and may never have been leased.
    """
    if not outcomes:
        return set()
    now = now or timezone.now()
    calm = not any(streaks.counts(one.status, one.error_code) for one in outcomes)
    ended = {row.id: row for row in _end(outcomes, now, held=held, calm=calm)}
    successors = sorted({row.successor for row in ended.values() if row.successor is not None})
    if successors:
        transaction.on_commit(partial(dispatch.wake, successors))
    ours = [one for one in outcomes if one.id in ended]
    # What a filter refused is most of what comes, and its row says why.
    told = [one for one in ours if one.status is not Status.FILTERED]
    if len(told) <= EACH_TOLD:
        transaction.on_commit(partial(_tell, told, ended))
    live.tell(ended)
    returned = [one.id for one in ours if one.returns_rate]
    if returned:
        RateUnit.objects.filter(execution_id__in=returned).delete()
    if calm:
        _announce(ours, ended, _calmed(ours, ended), now)
    else:
        counted = streaks.count([_streak_end(one, ended[one.id].workflow_id) for one in ours])
        _announce(ours, ended, counted.recovered, now)
        streaks.pause_reached(counted, now)
    return set(ended)


def _end(outcomes: Sequence[Outcome], now: datetime, *, held: bool, calm: bool) -> list[_Ended]:
    """`calm`: no failure among them, so the workflows of the successes can be set back here and now."""
    with prepared_cursor() as cursor:
        cursor.execute(
            _COMPLETE,
            {
                "now": now,
                "from": [Status.PENDING, Status.PROCESSING] if held else [Status.PROCESSING],
                "ids": [one.id for one in outcomes],
                "tokens": [one.token for one in outcomes],
                "statuses": [one.status.value for one in outcomes],
                "steps": [as_json(one.steps) for one in outcomes],
                "traces": [_json(one.filter_trace) for one in outcomes],
                "simulations": [_json(one.simulation) for one in outcomes],
                "codes": [one.error_code for one in outcomes],
                "details": [stored_json.clean(one.error_detail) for one in outcomes],
                "started": [one.starts for one in outcomes],
                "actions": [AUDIT_ACTION.get(one.status, "") for one in outcomes],
                "calm": calm,
            },
        )
        return [_Ended(*row) for row in cursor.fetchall()]


def _tell(outcomes: Sequence[Outcome], ended: Mapping[int, _Ended]) -> None:
    for one in outcomes:
        row = ended[one.id]
        log.info(
            "execution_ended",
            execution=row.execution_id,
            workflow=str(row.workflow_id),
            status=one.status.value,
            error=one.error_code or None,
        )


def _streak_end(outcome: Outcome, workflow_id: UUID) -> End:
    detail = stored_json.clean(outcome.error_detail)
    return End(outcome.id, workflow_id, outcome.status, outcome.error_code, detail)


def _calmed(outcomes: Sequence[Outcome], ended: Mapping[int, _Ended]) -> dict[int, int]:
    """The first success of each workflow that had failures before it: how many, by the execution's row."""
    found: dict[UUID, tuple[int, int]] = {}
    for one in outcomes:
        failures = ended[one.id].calmed
        if failures and one.status is Status.SUCCESS:
            found.setdefault(ended[one.id].workflow_id, (one.id, failures))
    return dict(found.values())


def _announce(
    outcomes: Sequence[Outcome], ended: Mapping[int, _Ended], recovered: Mapping[int, int], now: datetime
) -> None:
    told = [
        (delivery, notification, ended[one.id].workflow_id)
        for one in outcomes
        for notification in one.notifications
        if (delivery := _delivery(one, notification, ended[one.id].team_id, recovered.get(one.id, 0), now))
    ]
    if told:
        gathering.place(told, now)
        Delivery.objects.bulk_create([delivery for delivery, _, _ in told])
        transaction.on_commit(dispatch.wake_notify)


def _delivery(one: Outcome, notification: Notification, team_id: UUID, failures: int, now: datetime) -> Delivery | None:
    """What a notification says of an end; None where it says nothing."""
    is_recovery = notification.recovery_after is not None and failures >= notification.recovery_after
    if not is_recovery and one.status.value not in notification.on:
        return None
    template = notification.model_dump(mode="json")
    return Delivery(
        execution_id=one.id,
        team_id=team_id,
        channel_id=notification.channel,
        outcome=RECOVERED if is_recovery else one.status.value,
        template={**template, "failures": failures} if is_recovery else template,
        next_attempt_at=now,
    )


def _json(value: Any) -> str:
    return "" if value is None else stored_json.dumps(value)
