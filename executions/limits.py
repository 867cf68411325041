"""Limits that hold under concurrency: decided in PostgreSQL under locks, before anything is signed.

The rules of the locks
1. Always in this order: the installation row (FOR SHARE), workflows by id, signers by id (FOR NO KEY UPDATE: a plain
   FOR UPDATE would also stop the listener, whose inserts hold a key share on the workflow).
2. Taken once a transaction, as late as possible, and never held over a network call.
3. Only what uses up capacity or may be paused takes them.
4. Outside a transaction they raise.

A pause, a lower limit or a changed list writes the same rows; so when that call has returned, everything signed later
has seen it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum

from accounts.models import Installation
from accounts.prepared import prepared_cursor
from executions import stored_json, timing
from executions.build import Prepared
from executions.errors import LimitExceeded, Paused
from executions.limit_checks import check_amounts, check_day, check_parties, check_tokens_per_day
from executions.models import RateUnit, Reservation
from executions.outflow import Outflow
from workflows.models import Signer, Workflow

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
# No execution has this id: what is only asked about replaces no reservation.
NO_EXECUTION = 0


def lock_installation() -> Installation:
    """The installation row, shared: signers do not wait for each other here, a global pause waits for them."""
    _refuse_outside_transaction()
    # Django has no FOR SHARE.
    return Installation.objects.raw("SELECT * FROM accounts_installation WHERE id = 1 FOR SHARE")[0]


_FIELDS = Workflow._meta.concrete_fields
# Beside the workflow what else may pause it, read (not locked) in the same statement: it is on every execution's way.
_LOCK_WORKFLOWS = f"""
SELECT {", ".join(f"w.{field.column}" for field in _FIELDS)}, s.paused_at, i.paused_at
FROM workflows_workflow w JOIN accounts_installation i ON i.id = 1 LEFT JOIN workflows_signer s ON s.id = w.signer_id
WHERE w.id = ANY(%s) ORDER BY w.id FOR NO KEY UPDATE OF w
"""  # noqa: S608 - the columns of our own model


@dataclass(frozen=True, slots=True)
class Locked:
    """A workflow, locked, with the times at which its signer and everything were paused."""

    workflow: Workflow
    signer_paused_at: datetime | None
    all_paused_at: datetime | None


def lock_workflows(ids: Collection[UUID]) -> dict[UUID, Locked]:
    """The workflows' rows, locked in id order."""
    _refuse_outside_transaction()
    with prepared_cursor() as cursor:
        cursor.execute(_LOCK_WORKFLOWS, [list(ids)])
        locked = [Locked(_workflow(columns), signer, everything) for *columns, signer, everything in cursor]
    return {one.workflow.id: one for one in locked}


def _workflow(columns: Sequence[Any]) -> Workflow:
    """A row as the ORM would have read it."""
    values = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(_FIELDS, columns, strict=True)
    ]
    return Workflow.from_db(connection.alias, [field.attname for field in _FIELDS], values)


def lock_signer(signer_id: UUID) -> Signer:
    """The signer's row, locked."""
    _refuse_outside_transaction()
    return Signer.objects.select_for_update(no_key=True).get(id=signer_id)


# In one statement, because this is on the way of every execution. The workflows' locks make the count hold.
_TAKE_RATE = """
WITH wanted AS (
    SELECT * FROM unnest(%(executions)s::bigint[], %(workflows)s::uuid[], %(limits)s::bigint[])
        AS w(execution_id, workflow_id, most)
), had AS (
    SELECT execution_id FROM executions_rateunit WHERE execution_id = ANY(%(executions)s) AND at > %(since)s
), used AS (
    SELECT workflow_id, count(*) AS units FROM executions_rateunit
    WHERE workflow_id = ANY(%(workflows)s) AND at > %(since)s GROUP BY workflow_id
), ranked AS (
    SELECT wanted.*, row_number() OVER (PARTITION BY workflow_id ORDER BY execution_id) AS place
    FROM wanted WHERE execution_id NOT IN (SELECT execution_id FROM had)
), fresh AS (
    INSERT INTO executions_rateunit (execution_id, workflow_id, at)
    SELECT execution_id, workflow_id, %(now)s FROM ranked LEFT JOIN used USING (workflow_id)
    WHERE place <= most - COALESCE(units, 0)
    ON CONFLICT (execution_id) DO UPDATE SET at = EXCLUDED.at
    RETURNING execution_id
)
SELECT execution_id FROM had UNION ALL SELECT execution_id FROM fresh
"""


def take_rate(wanted: Mapping[int, Workflow], now: datetime) -> set[int]:
    """One unit of the hourly rate for each execution, oldest first, as far as it reaches; returns those that got one.

    `wanted` maps execution ids to their locked workflows. An execution that took its unit before a crash keeps it for
    the hour; one that waited longer is decided anew.
    """
    _refuse_outside_transaction()
    if not wanted:
        return set()
    with prepared_cursor() as cursor:
        cursor.execute(
            _TAKE_RATE,
            {
                "executions": list(wanted),
                "workflows": [workflow.id for workflow in wanted.values()],
                "limits": [workflow.max_executions_per_hour for workflow in wanted.values()],
                "since": now - timing.delta(HOUR.total_seconds()),
                "now": now,
            },
        )
        return {row[0] for row in cursor.fetchall()}


def refuse_if_paused(installation: Installation, workflow: Workflow, signer: Signer | None) -> None:
    """Raises Paused when nothing may be signed for this workflow now."""
    for pause in pauses(installation, workflow, signer):
        raise pause


def pauses(installation: Installation, workflow: Workflow, signer: Signer | None) -> Iterator[Paused]:
    """Every pause that keeps this workflow from signing now."""
    if installation.paused_at:
        yield Paused("everything is paused", code="everything_paused")
    if workflow.paused_at:
        reason = workflow.paused_reason or "no reason given"
        yield Paused(f"the workflow is paused: {reason}", code="workflow_paused")
    if signer is not None and signer.paused_at:
        yield Paused(f"the signer {signer.name} is paused", code="signer_paused")


# What an expired attempt reserved is still reserved, and is replaced.
_RESERVE = """
INSERT INTO executions_reservation (execution_id, workflow_id, signer_id, status, lamports, tokens, granted, at)
VALUES (%s, %s, %s, 'reserved', %s, %s::jsonb, %s::jsonb, %s)
ON CONFLICT (execution_id) WHERE status = 'reserved' DO UPDATE SET
    workflow_id = EXCLUDED.workflow_id, signer_id = EXCLUDED.signer_id, lamports = EXCLUDED.lamports,
    tokens = EXCLUDED.tokens, granted = EXCLUDED.granted, at = EXCLUDED.at
"""


def reserve(*, execution_id: int, workflow: Workflow, signer: Signer, prepared: Prepared, now: datetime) -> None:
    """Second half: judge what the simulation says leaves the signer, and reserve it. Locks are held by the caller.

    Raises:
        LimitExceeded: with the figures; nothing was reserved.
    """
    _refuse_outside_transaction()
    outflow = prepared.outflow
    for check in _second_half(execution_id, workflow, signer, prepared, now):
        check()
    with prepared_cursor() as cursor:
        cursor.execute(
            _RESERVE,
            [
                execution_id,
                workflow.id,
                signer.id,
                outflow.lamports,
                stored_json.dumps(outflow.tokens),
                stored_json.dumps(outflow.granted.as_json()),
                now,
            ],
        )


def refusals(*, workflow: Workflow, signer: Signer, prepared: Prepared, now: datetime) -> list[LimitExceeded]:
    """Everything for which `reserve` would refuse this now. Nothing is locked: it says what is likely, no more."""
    found = []
    for check in _second_half(NO_EXECUTION, workflow, signer, prepared, now):
        try:
            check()
        except LimitExceeded as error:
            found.append(error)
    return found


def rate_used(workflow: Workflow, now: datetime) -> int:
    """How many units of the hourly rate are taken."""
    return RateUnit.objects.filter(workflow=workflow, at__gt=now - timing.delta(HOUR.total_seconds())).count()


def _second_half(
    execution_id: int, workflow: Workflow, signer: Signer, prepared: Prepared, now: datetime
) -> Iterator[Callable[[], None]]:
    """The checks in their order; each raises LimitExceeded."""
    outflow = prepared.outflow
    yield partial(_check_transaction, workflow, prepared)
    since = now - timing.delta(DAY.total_seconds())
    own = Q(execution_id=execution_id, status=Reservation.Status.RESERVED)
    others = Reservation.objects.exclude(status=Reservation.Status.RELEASED).exclude(own)
    if (allowed := workflow.max_lamports_per_day) is not None:
        reserved = others.filter(workflow=workflow, at__gt=since)
        yield partial(_check_day, "workflow", reserved, outflow.lamports, allowed)
    if (allowed := signer.max_lamports_per_day) is not None:
        reserved = others.filter(signer=signer, at__gt=since)
        yield partial(_check_day, "signer", reserved, outflow.lamports, allowed)
    if outflow.tokens and workflow.max_tokens_per_day:
        yield partial(_check_tokens_per_day, workflow, outflow, since, execution_id)


def _check_transaction(workflow: Workflow, prepared: Prepared) -> None:
    check_amounts(workflow, prepared.outflow)
    check_parties(workflow, prepared.recipients, prepared.programs)


def _check_day(whose: str, reservations: QuerySet[Reservation], lamports: int, allowed: int) -> None:
    spent = reservations.aggregate(total=Sum("lamports"))["total"] or 0
    check_day(whose, lamports=lamports, spent=spent, allowed=allowed)


def _check_tokens_per_day(workflow: Workflow, outflow: Outflow, since: datetime, execution_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.key, SUM(t.value::numeric) FROM executions_reservation r, jsonb_each_text(r.tokens) t"
            " WHERE r.workflow_id = %s AND r.at > %s AND r.status <> 'released'"
            " AND NOT (r.status = 'reserved' AND r.execution_id = %s)"
            " AND t.key = ANY(%s) GROUP BY t.key",
            [workflow.id, since, execution_id, list(outflow.tokens)],
        )
        spent = {mint: int(total) for mint, total in cursor.fetchall()}
    check_tokens_per_day(outflow.tokens, spent, workflow.max_tokens_per_day)


def _refuse_outside_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("limits lock rows, which means nothing outside a transaction")
