from __future__ import annotations

from django.db import models

from workflows.models.workflow import Workflow


class Schedule(models.Model):
    """When an enabled workflow with a schedule runs next. Made, changed and removed with it (workflows.services).

    `next_due_at` is the truth about what has fired: it moves in the transaction that takes the event
    (executions.schedules). So a due time is neither lost nor doubled, whoever dies or runs twice. Null: never again.
    """

    class Missed(models.TextChoices):
        RUN_ONCE = "run_once", "Run once"
        SKIP = "skip", "Skip"

    workflow = models.OneToOneField(Workflow, on_delete=models.CASCADE, primary_key=True, related_name="schedule")
    cron = models.CharField(max_length=100)
    timezone = models.CharField(max_length=64)
    missed = models.CharField(max_length=10, choices=Missed.choices)
    next_due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # Asked every second for what is due.
            models.Index(fields=["next_due_at"], name="schedules_by_due_time"),
        ]

    def __str__(self) -> str:
        return f"{self.cron} {self.timezone}"
