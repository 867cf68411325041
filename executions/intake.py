"""The one way in: an event that matched becomes one execution, however often and by whomever it is reported."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from accounts.prepared import prepared_cursor
from chain.events import Event, EventKey
from executions import dispatch, stored_json
from executions.states import Step
from executions.steps import as_json, step
from executions.trail import EACH_TOLD, Trail


class Match(msgspec.Struct, frozen=True):
    """An event that matched a workflow, with the version that was current when it came in."""

    workflow_id: UUID
    version_id: int
    team_id: UUID
    dry_run: bool
    event: Event
    replay_of: str | None = None


def execution_id(workflow_id: UUID, key: EventKey) -> str:
    """`sha256("<workflow id>|<slot>|<account>|<index>")` in hex: contract, section 4."""
    return hashlib.sha256(f"{workflow_id}|{key.slot}|{key.account}|{key.index}".encode()).hexdigest()


# Arrays go as binary (`%b`): as text each quotation mark of each event would be escaped, by Python and one at a time.
# Ids in the order in which events were given, which is what `ordered` workflows run by; keys inserted in their own
# order, so that two batches with common keys wait for each other instead of deadlocking.
_INSERT = """
WITH given AS MATERIALIZED (
    SELECT nextval('executions_executionkey_id_seq') AS id, g.* FROM unnest(
        %b::text[], %b::uuid[], %b::uuid[], %b::bigint[], %b::text[], %b::text[], %b::bool[], %s::text[])
        AS g(execution_id, team_id, workflow_id, version_id, trigger, event, dry_run, replay_of)
), fresh AS (
    INSERT INTO executions_executionkey (id, execution_id, created_at)
    SELECT id, execution_id, %s FROM given ORDER BY execution_id
    ON CONFLICT (execution_id) DO NOTHING
    RETURNING id
)
INSERT INTO executions_execution (
    id, execution_id, team_id, workflow_id, version_id, trigger, event, dry_run, replay_of, status, steps,
    error_code, error_detail, created_at)
SELECT id, execution_id, team_id, workflow_id, version_id, trigger, event::jsonb, dry_run, replay_of, 'pending',
    %s::jsonb, '', '', %s
FROM fresh JOIN given USING (id)
RETURNING id, execution_id
"""


def take(matches: Sequence[Match], *, detected_at: datetime) -> list[int]:
    """Insert what is new, in the caller's transaction, and wake the workers when it commits.

    Two transactions with the same event meet at the key's unique index: the second waits for the first and then inserts
    nothing. Returns the row ids of the new executions.

    Raises:
        RuntimeError: called outside a transaction; state rows and checkpoint must commit with the executions.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("intake.take belongs in the transaction that moves the state rows and the checkpoint")
    by_id: dict[str, Match] = {}
    for match in matches:
        by_id.setdefault(execution_id(match.workflow_id, match.event.key), match)
    if not by_id:
        return []
    now = timezone.now()
    steps = as_json([step(Step.DETECTED, detected_at), step(Step.QUEUED, now)])
    rows = list(by_id.values())
    with prepared_cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                list(by_id),
                [row.team_id for row in rows],
                [row.workflow_id for row in rows],
                [row.version_id for row in rows],
                [row.event.type for row in rows],
                [stored_json.dumps(row.event.as_json()) for row in rows],
                [row.dry_run for row in rows],
                [row.replay_of for row in rows],
                now,
                steps,
                now,
            ],
        )
        fresh = dict(cursor.fetchall())
    ids = sorted(fresh)
    if ids:
        transaction.on_commit(partial(dispatch.wake, ids))
        transaction.on_commit(partial(_tell, {name: by_id[name] for name in fresh.values()}, detected_at))
    return ids


def _tell(taken: Mapping[str, Match], detected_at: datetime) -> None:
    started_ns = int(detected_at.timestamp() * 1e9)
    for name, match in taken.items():
        Trail(name, match.workflow_id).passed(
            "ingest", started_ns, quiet=len(taken) > EACH_TOLD, trigger=match.event.type
        )
