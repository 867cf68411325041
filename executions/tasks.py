"""Wake-up calls. The work and its promises are in the modules named; a lost call is made up for by `sweep`."""

from __future__ import annotations

from celery import Task, shared_task
from django.utils import timezone

from executions import (
    approvals,
    claims,
    confirm,
    dispatch,
    gathering,
    memo_watch,
    notify,
    retention,
    schedules,
    stats,
    tallies,
)
from executions.models import Heartbeat
from executions.pauses import release_waiting
from executions.pipeline import advance as advance_executions
from executions.turns import turn

SWEEP_LIMIT = 1000
DELIVERIES_A_TASK = 50
DELIVERERS = 2
# A deliverer that died keeps the others waiting for so long.
DELIVERY_S = 5
# What is due later than this is found by beat's next round.
BEAT_S = 2.0
MEMO_WATCH_S = 60


@shared_task(name="executions.advance")
def advance(ids: list[int]) -> None:
    advance_executions(ids)


@shared_task(name="executions.confirm")
def confirm_signatures() -> None:
    confirm.confirm_round()


@shared_task(name="executions.notify")
def deliver() -> None:
    """Slow receivers must not hold every process of the worker: a few deliver, the others go on with payments."""
    with turn("notify", places=DELIVERERS, for_at_most_s=DELIVERY_S) as mine:
        if not mine:
            return
        done = notify.deliver_due(DELIVERIES_A_TASK, still_at_it=mine.renew)
    if done.next_due_s is not None and done.next_due_s < BEAT_S:
        dispatch.wake_notify(after_s=done.next_due_s)


@shared_task(name="executions.sweep", bind=True)
def sweep(self: Task) -> None:
    """Whatever should be in work and is not; finality; and the sign that this worker works."""
    Heartbeat.objects.update_or_create(
        name=self.request.hostname or "worker", defaults={"kind": "worker", "at": timezone.now()}
    )
    release_waiting()
    approvals.expire_due()
    dispatch.wake(claims.due(SWEEP_LIMIT))
    confirm.finalize_round()
    stats.fold()


@shared_task(name="executions.fire_schedules")
def fire_schedules() -> None:
    """What is due by now; one query when nothing is."""
    schedules.fire_due(timezone.now())


@shared_task(name="executions.tidy", ignore_result=False)
def tidy() -> str:
    """What may wait for minutes. Its results are kept, and seen in the admin."""
    tallies.fold()
    gathering.forget()
    return "folded"


@shared_task(name="executions.prune", ignore_result=False)
def prune() -> str:
    """What is older than EXECUTION_RETENTION_DAYS. Its results are kept, as those of `tidy`."""
    return f"{retention.prune()} executions deleted"


@shared_task(name="executions.watch_memos")
def watch_memos() -> None:
    """Whether the chain knows payments that this database does not."""
    with turn("memos", places=1, for_at_most_s=MEMO_WATCH_S) as free:
        if free:
            memo_watch.watch()
