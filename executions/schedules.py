"""Schedules come due: each due time is one event, whoever asks, however often, and whenever that is possible again.

The rows are the truth, beat is a wake-up call: a row's `next_due_at` moves in the transaction that takes its event, and
the row is locked for it. So

1. of two that fire at once one gets the row and the other passes it by;
2. what died before its commit has done nothing, and the next finds the row as it was;
3. without beat, worker or database for a while, the row waits; then the newest due time is the event and says how many
   were missed (`run_once`), or, where that is more than SKIP_AFTER_S ago, there is none (`skip`);
4. a clock that is set back finds rows that have moved on, and the due time is in the key: nothing runs again.

A due time is late by up to a second, beat's interval, and by what workers take to come to it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import structlog
from cronsim import CronSimError
from django.db import transaction

from chain.events import schedule_event
from executions.crashpoints import reach
from executions.intake import Match, take
from workflows.models import Schedule, Workflow
from workflows.specs.due_times import Due, due_by, next_due

log = structlog.get_logger(__name__)

# A schedule that skips what it missed allows for a deployment, or for a worker that was busy.
SKIP_AFTER_S = 60.0
BATCH = 100


def fire_due(now: datetime) -> int:
    """Take the events of all schedules that are due at `now`; returns how many executions that made."""
    started = 0
    while True:
        rows, taken = _fire_batch(now)
        started += taken
        if rows < BATCH:
            return started


@transaction.atomic
def _fire_batch(now: datetime) -> tuple[int, int]:
    """How many rows were moved, and how many executions were made of them."""
    # A row that somebody else holds is being fired, changed or removed: the next round sees what became of it.
    due_rows = Schedule.objects.select_for_update(skip_locked=True).filter(next_due_at__lte=now)
    rows = list(due_rows.order_by("next_due_at")[:BATCH])
    if not rows:
        return 0, 0
    # Read under the rows' locks: whoever disables or reschedules a workflow needs them, and waits or was here before.
    workflows = Workflow.objects.in_bulk([row.pk for row in rows])
    matches = [match for row in rows if (match := _fired(row, workflows[row.pk], now)) is not None]
    Schedule.objects.bulk_update(rows, ["next_due_at"])
    executions = take(matches, detected_at=now)
    reach("schedules_firing")
    return len(rows), len(executions)


def _fired(row: Schedule, workflow: Workflow, now: datetime) -> Match | None:
    """Move the row on; the event of its newest due time, unless it is skipped."""
    due = _move(row, now)
    if due is None or workflow.version_id is None:
        return None
    if row.missed == Schedule.Missed.SKIP and now - due.newest > timedelta(seconds=SKIP_AFTER_S):
        log.info("schedule_skipped", workflow=str(row.pk), missed=due.earlier + 1, newest=due.newest.isoformat())
        return None
    event = schedule_event(due.newest, missed=due.earlier)
    return Match(workflow.id, workflow.version_id, workflow.team_id, workflow.dry_run, event)


def _move(row: Schedule, now: datetime) -> Due | None:
    """What of the row is due; afterwards `next_due_at` lies behind it, and so behind `now`.

    None where it cannot be told any more: a zone that this machine's data has lost. Such a row stops, with an error in
    the log, instead of stopping all others; saving the workflow again begins afresh.
    """
    first, row.next_due_at = row.next_due_at, None
    if first is None:
        return None
    try:
        due = due_by(row.cron, row.timezone, first, now)
        row.next_due_at = next_due(row.cron, row.timezone, due.newest)
    except (CronSimError, ZoneInfoNotFoundError) as error:
        log.error("schedule_unreadable", workflow=str(row.pk), cron=row.cron, timezone=row.timezone, why=str(error))
        return None
    return due
