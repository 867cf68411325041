"""Claims and leases: whoever works on an execution holds a lease; a process that dies lets it run out.

A claim is one conditional UPDATE. A second delivery of the same ids finds nothing to do, and looks at the count.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import close_old_connections, connection
from django.utils import timezone

from executions import timing


@dataclass(frozen=True, slots=True)
class Claimed:
    """An execution in work, as it was when it was claimed. `token` proves the lease in every later UPDATE."""

    id: int
    execution_id: str
    team_id: UUID
    workflow_id: UUID
    version_id: int
    event: dict[str, Any]
    dry_run: bool
    created_at: datetime
    token: UUID


# A pending row, or one whose worker died before anything was signed. Rows that wait for something are not work, and
# an `ordered` workflow's row is not while an earlier one of it is not final.
_CLAIM = """
UPDATE executions_execution SET status = 'processing', lease_token = %(token)s, lease_until = %(until)s
WHERE id IN (
    SELECT e.id FROM executions_execution e JOIN workflows_workflow w ON w.id = e.workflow_id
    WHERE e.id = ANY(%(ids)s) AND e.waiting_for IS NULL
      AND (e.status = 'pending' OR (e.status = 'processing' AND e.lease_until < %(now)s))
      AND NOT (w.ordered AND EXISTS (
          SELECT 1 FROM executions_execution f
          WHERE f.workflow_id = e.workflow_id AND f.id < e.id AND f.status IN ('pending', 'processing')))
    ORDER BY e.id FOR UPDATE OF e SKIP LOCKED)
RETURNING id, execution_id, team_id, workflow_id, version_id, event, dry_run, created_at
"""


def claim(ids: Sequence[int]) -> list[Claimed]:
    """Lease those of `ids` that nobody works on; the others are somebody else's or done. Lowest id first."""
    now = timezone.now()
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM, {"token": token, "until": now + timing.delta(timing.LEASE_S), "ids": list(ids), "now": now}
        )
        rows = cursor.fetchall()
    return sorted((_claimed(row, token) for row in rows), key=lambda claimed: claimed.id)


def _claimed(row: Sequence[Any], token: UUID) -> Claimed:
    row_id, execution_id, team_id, workflow_id, version_id, event, dry_run, created_at = row
    return Claimed(
        row_id, execution_id, team_id, workflow_id, version_id, orjson.loads(event), dry_run, created_at, token
    )


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
