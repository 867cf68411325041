"""The rows of signed transactions, written for many at once: stored before the first send, marked for it, and counted
after each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.prepared import prepared_cursor
from executions import live, stored_json
from executions.crashpoints import reach
from executions.models import Attempt
from executions.states import Step
from executions.steps import as_json, step


@dataclass(frozen=True, slots=True)
class Written:
    """An attempt that is to be stored, and what its execution's row gets with it. `token` is the lease that has to
    hold."""

    attempt: Attempt
    token: UUID | None
    steps: list[dict[str, Any]]
    filter_trace: dict[str, Any]
    simulation: dict[str, Any]


# Without the lease there is no attempt either. Rows are locked in the order of their ids, as everybody does who locks
# several. New columns of the table need a default in the database.
_STORE = """
WITH o AS (
    SELECT * FROM unnest(%(executions)s::bigint[], %(tokens)s::uuid[], %(steps)b::text[], %(traces)b::text[],
        %(simulations)b::text[], %(numbers)s::int[], %(signers)s::uuid[], %(signatures)s::text[], %(raws)b::bytea[],
        %(blockhashes)s::text[], %(heights)s::bigint[], %(geneses)s::text[], %(signed_ats)s::timestamptz[])
        AS o(id, token, steps, trace, simulation, number, signer_id, signature, raw, blockhash, height, genesis,
            signed_at)
), held AS (
    SELECT e.id FROM executions_execution e
    WHERE e.id = ANY(%(executions)s) AND e.status = 'processing' ORDER BY e.id FOR NO KEY UPDATE
), mine AS (
    UPDATE executions_execution e SET waiting_for = 'confirmation', lease_token = NULL, lease_until = NULL,
        steps = e.steps || o.steps::jsonb, filter_trace = o.trace::jsonb, simulation = o.simulation::jsonb
    FROM o JOIN held USING (id) WHERE e.id = o.id AND e.lease_token = o.token
    RETURNING e.id
)
INSERT INTO executions_attempt (execution_id, number, signer_id, status, signature, raw, blockhash,
    last_valid_block_height, genesis_hash, signed_at, sends, unknown_answers)
SELECT id, number, signer_id, 'signed', signature, raw, blockhash, height, genesis, signed_at, 0, '[]'
FROM o JOIN mine USING (id) ORDER BY id
RETURNING id, execution_id
"""


def store(written: Sequence[Written]) -> set[int]:
    """Write these and hand their executions over to the confirmation round, in the caller's transaction.

    Returns the executions for which that was done; of the others somebody else has taken the lease.
    """
    if not written:
        return set()
    rows = [one.attempt for one in written]
    with prepared_cursor() as cursor:
        cursor.execute(
            _STORE,
            {
                "executions": [row.execution_id for row in rows],
                "tokens": [one.token for one in written],
                "steps": [as_json(one.steps) for one in written],
                "traces": [stored_json.dumps(one.filter_trace) for one in written],
                "simulations": [stored_json.dumps(one.simulation) for one in written],
                "numbers": [row.number for row in rows],
                "signers": [row.signer_id for row in rows],
                "signatures": [row.signature for row in rows],
                "raws": [bytes(row.raw) for row in rows],
                "blockhashes": [row.blockhash for row in rows],
                "heights": [row.last_valid_block_height for row in rows],
                "geneses": [row.genesis_hash for row in rows],
                "signed_ats": [row.signed_at for row in rows],
            },
        )
        ids = {execution_id: row_id for row_id, execution_id in cursor.fetchall()}
    for row in rows:
        if row.execution_id in ids:
            row.id = ids[row.execution_id]
    return set(ids)


# Each count makes PostgreSQL finish the locks before it: the order is that of executions.limits. A pause that is being
# written is waited for, and seen.
_MARK = """
WITH i AS (SELECT 1 FROM accounts_installation WHERE id = 1 AND paused_at IS NULL FOR SHARE),
w AS (
    SELECT w.id FROM workflows_workflow w
    WHERE w.paused_at IS NULL AND EXISTS (SELECT FROM i) AND w.id IN (
        SELECT e.workflow_id FROM executions_execution e WHERE e.id = ANY(%(executions)s))
    ORDER BY w.id FOR SHARE),
s AS (
    SELECT s.id FROM workflows_signer s
    WHERE s.id = ANY(%(signers)s) AND s.paused_at IS NULL AND (SELECT count(*) FROM w) > 0 ORDER BY s.id FOR SHARE)
UPDATE executions_attempt a SET sending_at = %(now)s FROM executions_execution e
WHERE a.id = ANY(%(ids)s) AND a.sending_at IS NULL AND a.status = 'signed' AND (SELECT count(*) FROM s) > 0
    AND a.signer_id IN (SELECT id FROM s) AND e.id = a.execution_id AND e.workflow_id IN (SELECT id FROM w)
RETURNING a.id
"""


def mark_sending(rows: Sequence[Attempt]) -> list[Attempt]:
    """Allow the first send of those that nothing pauses; the others are not allowed now, or marked by somebody else."""
    if not rows:
        return []
    with prepared_cursor() as cursor:
        cursor.execute(
            _MARK,
            {
                "ids": [row.id for row in rows],
                "executions": [row.execution_id for row in rows],
                "signers": [row.signer_id for row in rows],
                "now": timezone.now(),
            },
        )
        marked = {row_id for (row_id,) in cursor.fetchall()}
    reach("marked")
    return [row for row in rows if row.id in marked]


_NOT_PAUSED = """
SELECT a.id FROM executions_attempt a JOIN executions_execution e ON e.id = a.execution_id
JOIN workflows_workflow w ON w.id = e.workflow_id JOIN workflows_signer s ON s.id = a.signer_id
JOIN accounts_installation i ON i.id = 1
WHERE a.id = ANY(%s) AND w.paused_at IS NULL AND s.paused_at IS NULL AND i.paused_at IS NULL
"""


def not_paused(rows: Sequence[Attempt]) -> list[Attempt]:
    """Those that no pause holds now."""
    if not rows:
        return []
    with prepared_cursor() as cursor:
        cursor.execute(_NOT_PAUSED, [[row.id for row in rows]])
        free = {row_id for (row_id,) in cursor.fetchall()}
    return [row for row in rows if row.id in free]


# The first one that an endpoint may have taken is the step; rebroadcasts only count.
_RECORD_SENDS = """
WITH o AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(taken)s::bool[], %(steps)b::text[]) AS o(id, taken, steps)
), before AS (
    SELECT id, status FROM executions_attempt WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE
), a AS (
    UPDATE executions_attempt t SET last_sent_at = %(now)s, sends = t.sends + 1,
        status = CASE WHEN before.status = 'signed' AND o.taken THEN 'sent' ELSE before.status END
    FROM before JOIN o USING (id) WHERE t.id = before.id
    RETURNING t.execution_id, o.steps, before.status = 'signed' AND o.taken AS is_first
)
UPDATE executions_execution e SET steps = e.steps || a.steps::jsonb FROM a WHERE e.id = a.execution_id AND a.is_first
"""


def record_sends(rows: Sequence[Attempt], taken: Sequence[bool], now: datetime) -> None:
    """Write down that these were sent; `taken`: whether an endpoint has them, or may have."""
    with prepared_cursor() as cursor:
        cursor.execute(
            _RECORD_SENDS,
            {
                "now": now,
                "ids": [row.id for row in rows],
                "taken": list(taken),
                "steps": [_sent(row, now) for row in rows],
            },
        )
    live.tell([row.execution_id for row in rows])


def _sent(row: Attempt, now: datetime) -> str:
    return as_json([step(Step.SENT, now, {"signature": row.signature, "attempt": row.number})])
