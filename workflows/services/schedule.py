"""The row of a schedule follows its workflow: in each transaction that enables, changes or disables that."""

from __future__ import annotations

from django.utils import timezone

from workflows.models import Schedule, Workflow
from workflows.services.changes import write
from workflows.specs import triggers
from workflows.specs.due_times import next_due
from workflows.specs.triggers import Trigger


def schedule_follow(*, workflow: Workflow, trigger: Trigger | None) -> None:
    """Make the row of `workflow`, whose lock the caller's transaction holds, what `trigger` says; None removes it.

    A schedule that is new or says another time begins now: nothing that was due up to now runs. One that says the same
    goes on, and what is overdue runs still.
    """
    if not isinstance(trigger, triggers.Schedule):
        Schedule.objects.filter(pk=workflow.pk).delete()
        return
    # Locked before it is compared: what fires it at this moment moves it first, or finds it moved.
    row = Schedule.objects.select_for_update().filter(pk=workflow.pk).first()
    if row is not None and (row.cron, row.timezone) == (trigger.cron, trigger.timezone):
        write(row, {"missed": trigger.missed})
    else:
        row, _ = Schedule.objects.update_or_create(
            workflow=workflow,
            defaults={
                "cron": trigger.cron,
                "timezone": trigger.timezone,
                "missed": trigger.missed,
                "next_due_at": next_due(trigger.cron, trigger.timezone, timezone.now()),
            },
        )
    workflow.schedule = row
