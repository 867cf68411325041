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
import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from accounts.prepared import prepared_cursor
from executions import timing
from executions.trail import Trail

log = structlog.get_logger(__name__)


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
    # The chain has a transaction with its memo that this database did not sign (executions.recovery).
    has_landed: bool = False

    @property
    def trail(self) -> Trail:
        return Trail(self.execution_id, self.workflow_id)


# An `ordered` workflow's row is no work while an earlier one of it is not final.
_IS_FIRST = """
NOT (w.ordered AND EXISTS (
    SELECT 1 FROM executions_execution f
    WHERE f.workflow_id = e.workflow_id AND f.id < e.id AND f.status IN ('pending', 'processing')))
"""

# A pending row, or one whose worker died before anything was signed. Rows that wait for something are not work.
_HOLD = f"""
SELECT e.id, e.execution_id, e.team_id, e.workflow_id, e.version_id, e.event, e.dry_run, e.created_at, e.lease_token,
    (SELECT COALESCE(max(a.number), 0) FROM executions_attempt a WHERE a.execution_id = e.id),
    EXISTS (SELECT FROM executions_landedmemo l WHERE l.prefix = left(e.execution_id, 16))
FROM executions_execution e JOIN workflows_workflow w ON w.id = e.workflow_id
WHERE e.id = ANY(%(ids)s) AND e.waiting_for IS NULL
  AND (e.status = 'pending' OR (e.status = 'processing' AND e.lease_until < %(now)s))
  AND {_IS_FIRST}
ORDER BY e.id FOR NO KEY UPDATE OF e SKIP LOCKED
"""  # noqa: S608 - our own text


def hold(ids: Sequence[int]) -> list[Claimed]:
    """Those of `ids` that nobody works on, locked until the caller's transaction ends; the others are somebody else's
    or done. Lowest id first.

    Whatever ends in this transaction needs no lease; `lease` is for the rest.
    """
    with prepared_cursor() as cursor:
        cursor.execute(_HOLD, {"ids": list(ids), "now": timezone.now()})
        return [_claimed(row) for row in cursor.fetchall()]


_LEASE = """
WITH leased AS (
    UPDATE executions_execution SET status = 'processing', lease_token = %(token)s, lease_until = %(until)s
    WHERE id = ANY(%(ids)s)
    RETURNING team_id, execution_id, workflow_id
)
INSERT INTO accounts_auditentry (team_id, actor, action, target_type, target_id, target_name, detail)
SELECT team_id, 'system:worker', 'execution_started', 'execution', execution_id, '',
    jsonb_build_object('workflow', workflow_id) FROM leased
"""


def lease(held: Sequence[Claimed]) -> list[Claimed]:
    """Take held rows into work, in the same transaction: from its commit on they are this worker's, for a lease. That
    they started is in the audit log."""
    token, now = uuid.uuid4(), timezone.now()
    with prepared_cursor() as cursor:
        cursor.execute(
            _LEASE,
            {
                "token": token,
                "until": now + timing.delta(timing.LEASE_S),
                "ids": [one.id for one in held],
            },
        )
    return [replace(one, token=token) for one in held]


def _claimed(row: Sequence[Any]) -> Claimed:
    row_id, execution_id, team_id, workflow_id, version_id, event, *rest = row
    return Claimed(row_id, execution_id, team_id, workflow_id, version_id, orjson.loads(event), *rest)


_DUE = f"""
(SELECT e.id FROM executions_execution e JOIN workflows_workflow w ON w.id = e.workflow_id
    WHERE e.status = 'pending' AND e.waiting_for IS NULL AND e.created_at < %(old)s AND {_IS_FIRST}
    ORDER BY e.created_at LIMIT %(limit)s)
UNION ALL
(SELECT id FROM executions_execution WHERE status = 'processing' AND waiting_for IS NULL AND lease_until < %(now)s
    ORDER BY lease_until LIMIT %(limit)s)
"""  # noqa: S608 - our own text


def due(limit: int) -> list[int]:
    """Executions that should be in work and are not: their message was lost, or their worker."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"old": now - timing.delta(timing.SWEEP_AGE_S), "now": now, "limit": limit})
        return [row[0] for row in cursor.fetchall()]


def _renew(ids: list[int], token: UUID | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_execution SET lease_until = %s WHERE id IN (SELECT id FROM executions_execution"
            " WHERE id = ANY(%s) AND lease_token = %s AND status = 'processing' AND waiting_for IS NULL"
            " ORDER BY id FOR NO KEY UPDATE)",
            [timezone.now() + timing.delta(timing.LEASE_S), ids, token],
        )


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
            try:
                _renew(ids, token)
            except (OperationalError, InterfaceError) as error:
                # Until it is back the lease runs on; somebody who takes over changes the token.
                log.warning("lease_not_renewed", error=type(error).__name__)
        connection.close()

    thread = threading.Thread(target=renew, name="lease-renewal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
