"""Limits that hold under concurrency: decided in PostgreSQL under locks, before anything is signed. What leaves a
signer is judged and reserved under the same locks (executions.reservations).

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

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Installation
from accounts.prepared import prepared_cursor
from executions import timing
from executions.errors import Paused
from executions.models import RateUnit
from workflows.models import Signer, Workflow

HOUR = timedelta(hours=1)


def lock_installation() -> Installation:
    """The installation row, shared: signers do not wait for each other here, a global pause waits for them."""
    refuse_outside_transaction()
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
    refuse_outside_transaction()
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


def lock_signers(ids: Collection[UUID]) -> dict[UUID, Signer]:
    """The signers' rows, locked in id order."""
    refuse_outside_transaction()
    return {one.id: one for one in Signer.objects.select_for_update(no_key=True).filter(id__in=ids).order_by("id")}


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
    refuse_outside_transaction()
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


def rate_used(workflow: Workflow, now: datetime) -> int:
    """How many units of the hourly rate are taken."""
    return RateUnit.objects.filter(workflow=workflow, at__gt=now - timing.delta(HOUR.total_seconds())).count()


def refuse_outside_transaction() -> None:
    """Raises RuntimeError: a programming error."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("limits lock rows, which means nothing outside a transaction")
