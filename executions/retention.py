"""Deletes what ended long ago, where EXECUTION_RETENTION_DAYS says so; nothing that money or identity go by.

Deleted: executions that are over and never signed anything (filtered, throttled, without actions, dry runs, failed
before signing), with their messages. Kept: all that signed a transaction, the ledger that reconcile proves against the
chain; the keys, which keep an event from running twice; the audit log; the counts of all time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Team
from executions.models import Approval, Delivery, RateUnit
from executions.states import FINAL, DeliveryStatus

log = structlog.get_logger(__name__)

BATCH = 1000
# Well below the task's limit; the next call goes on.
FOR_S = 30.0

# By the index of a status's list, from its old end.
_PAGE = """
SELECT created_at, id FROM executions_execution
WHERE team_id = %(team)s AND status = %(status)s AND created_at < %(before)s AND (created_at, id) > (%(at)s, %(id)s)
ORDER BY created_at, id LIMIT %(batch)s
"""
# What a person runs again meanwhile is pending when its row's lock is free, and stays.
_DELETE = """
DELETE FROM executions_execution e
WHERE e.id = ANY(%(ids)s) AND e.status = ANY(%(final)s) AND e.completed_at < %(before)s
  AND NOT EXISTS (SELECT FROM executions_attempt a WHERE a.execution_id = e.id)
  AND NOT EXISTS (SELECT FROM executions_delivery d WHERE d.execution_id = e.id AND d.status = 'pending')
RETURNING e.id
"""


def prune(*, for_s: float = FOR_S) -> int:
    """Delete what EXECUTION_RETENTION_DAYS lets go, for `for_s` seconds at most; returns how many executions.

    In batches of a transaction each: one that dies has deleted whole executions, and the next call goes on.
    """
    if not settings.EXECUTION_RETENTION_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.EXECUTION_RETENTION_DAYS)
    stop_at, deleted = time.monotonic() + for_s, 0
    for ids in _pages(before):
        deleted += _delete(ids, before)
        if time.monotonic() > stop_at:
            break
    if deleted:
        log.info("executions_pruned", count=deleted, before=before.isoformat())
    return deleted


def _pages(before: datetime) -> Iterator[list[int]]:
    """All that ended and began before then, oldest first, by team and status."""
    for team_id in Team.objects.values_list("id", flat=True):
        for status in sorted(FINAL):
            position: dict[str, Any] = {"at": datetime.min.replace(tzinfo=before.tzinfo), "id": 0}
            while rows := _page({"team": team_id, "status": status, "before": before, "batch": BATCH, **position}):
                position = dict(zip(("at", "id"), rows[-1], strict=True))
                yield [row_id for _, row_id in rows]


def _page(asked: dict[str, Any]) -> list[tuple[datetime, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, asked)
        return cursor.fetchall()


@transaction.atomic
def _delete(ids: Sequence[int], before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, {"ids": list(ids), "before": before, "final": sorted(FINAL)})
        gone = [row_id for (row_id,) in cursor.fetchall()]
    if gone:
        # A dead message that somebody has just sent again finds out by itself that its execution is gone.
        Delivery.objects.filter(execution_id__in=gone).exclude(status=DeliveryStatus.PENDING).delete()
        Approval.objects.filter(execution_id__in=gone).delete()
        RateUnit.objects.filter(execution_id__in=gone).delete()
    return len(gone)
