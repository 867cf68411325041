"""Claims and leases: whoever works on an execution holds its row's lock for a moment, or a lease for longer; a process
that dies lets go of both. A second delivery of the same ids finds nothing to do.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import close_old_connections, connection
from django.utils import timezone

from executions import timing


@dataclass(frozen=True, slots=True)
class Claimed:
    """An execution in hand. `token` is its row's lease_token, which every later UPDATE compares: somebody who took the
    execution over has changed it."""

    id: int
    execution_id: str
    team_id: UUID
    workflow_id: UUID
    version_id: int
    event: dict[str, Any]
    dry_run: bool
    created_at: datetime
    token: UUID | None
    attempts: int


# A pending row, or one whose worker died before anything was signed. Rows that wait for something are not work, and
# an `ordered` workflow's row is not while an earlier one of it is not final.
_HOLD = """
SELECT e.id, e.execution_id, e.team_id, e.workflow_id, e.version_id, e.event, e.dry_run, e.created_at, e.lease_token,
    (SELECT COALESCE(max(a.number), 0) FROM executions_attempt a WHERE a.execution_id = e.id)
FROM executions_execution e JOIN workflows_workflow w ON w.id = e.workflow_id
WHERE e.id = ANY(%(ids)s) AND e.waiting_for IS NULL
  AND (e.status = 'pending' OR (e.status = 'processing' AND e.lease_until < %(now)s))
  AND NOT (w.ordered AND EXISTS (
      SELECT 1 FROM executions_execution f
      WHERE f.workflow_id = e.workflow_id AND f.id < e.id AND f.status IN ('pending', 'processing')))
ORDER BY e.id FOR NO KEY UPDATE OF e SKIP LOCKED
"""


def hold(ids: Sequence[int]) -> list[Claimed]:
    """Those of `ids` that nobody works on, locked until the caller's transaction ends; the others are somebody else's
    or done. Lowest id first.

    Whatever ends in this transaction needs no lease; `lease` is for the rest.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, {"ids": list(ids), "now": timezone.now()})
        return [_claimed(row) for row in cursor.fetchall()]


def lease(held: Sequence[Claimed]) -> list[Claimed]:
    """Take held rows into work, in the same transaction: from its commit on they are this worker's, for a lease."""
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_execution SET status = 'processing', lease_token = %s, lease_until = %s"
            " WHERE id = ANY(%s)",
            [token, timezone.now() + timing.delta(timing.LEASE_S), [one.id for one in held]],
        )
    return [replace(one, token=token) for one in held]


def _claimed(row: Sequence[Any]) -> Claimed:
    row_id, execution_id, team_id, workflow_id, version_id, event, *rest = row
    return Claimed(row_id, execution_id, team_id, workflow_id, version_id, orjson.loads(event), *rest)


def due(limit: int) -> list[int]:
    """Executions that should be in work and are not: their message was lost, or their worker."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "(SELECT id FROM executions_execution WHERE status = 'pending' AND waiting_for IS NULL AND created_at < %s"
            " ORDER BY created_at LIMIT %s) UNION ALL"
            " (SELECT id FROM executions_execution WHERE status = 'processing' AND waiting_for IS NULL"
            " AND lease_until < %s ORDER BY lease_until LIMIT %s)",
            [now - timing.delta(timing.SWEEP_AGE_S), limit, now, limit],
        )
        return [row[0] for row in cursor.fetchall()]


@contextmanager
def renewed(claimed: Sequence[Claimed]) -> Iterator[None]:
    """Keep the leases of these executions alive while the block runs; they run out after it, or with the process.

    A lease that somebody else took over is not renewed: its token has changed.
    """
    done = threading.Event()
    ids, token = [one.id for one in claimed], claimed[0].token

    def renew() -> None:
        while not done.wait(timing.scaled(timing.LEASE_RENEWAL_S)):
            close_old_connections()
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE executions_execution SET lease_until = %s WHERE id = ANY(%s) AND lease_token = %s"
                    " AND status = 'processing' AND waiting_for IS NULL",
                    [timezone.now() + timing.delta(timing.LEASE_S), ids, token],
                )
        connection.close()

    thread = threading.Thread(target=renew, name="lease-renewal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
