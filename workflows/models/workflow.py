"""A workflow and its versions. The definition is in the version and never changes; the rest is in the workflow."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q

from accounts.models import Team
from workflows.models.signer import Signer


class Workflow(models.Model):
    """What a team wants. Written by workflows.services only.

    Limits are columns, not part of the version: they bind every execution that is not signed yet, whatever version of
    the definition it runs. A row is locked FOR UPDATE by whoever is about to sign for it (executions.limits), so that
    a pause or a lower limit that was committed holds for everything signed afterwards.
    """

    class Commitment(models.TextChoices):
        PROCESSED = "processed", "Processed"
        CONFIRMED = "confirmed", "Confirmed"
        FINALIZED = "finalized", "Finalized"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="workflows")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField(default=False)
    enabled_at_slot = models.BigIntegerField(null=True, blank=True)
    # The trigger's type of the current version, beside it for lists and for the listener's load.
    trigger_type = models.CharField(max_length=30)
    version = models.ForeignKey(
        "workflows.WorkflowVersion", on_delete=models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    draft = models.JSONField(null=True, blank=True)

    signer = models.ForeignKey(Signer, on_delete=models.PROTECT, null=True, blank=True, related_name="workflows")
    commitment = models.CharField(max_length=10, choices=Commitment.choices, default=Commitment.CONFIRMED)
    dry_run = models.BooleanField(default=False)
    ordered = models.BooleanField(default=False)
    max_event_age_s = models.PositiveIntegerField(null=True, blank=True)

    max_lamports_per_tx = models.BigIntegerField(default=1_000_000)
    max_lamports_per_day = models.BigIntegerField(null=True, blank=True)
    max_tokens_per_tx = models.JSONField(default=dict, blank=True)
    max_tokens_per_day = models.JSONField(default=dict, blank=True)
    max_executions_per_hour = models.PositiveIntegerField(default=10)
    allowed_recipients = models.JSONField(null=True, blank=True)
    allowed_programs = models.JSONField(null=True, blank=True)
    approval_above_lamports = models.BigIntegerField(null=True, blank=True)
    approval_expires_s = models.PositiveIntegerField(default=3600)
    approvers = models.PositiveSmallIntegerField(default=1, db_default=1)
    pause_after_failures = models.PositiveIntegerField(default=5, db_default=5, null=True, blank=True)
    # Counted in the transaction that fails an execution (executions.streaks); a success or a person sets it back.
    failures_in_row = models.PositiveIntegerField(default=0, db_default=0)

    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.TextField(null=True, blank=True)
    throttle_told_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # The dashboard's and the API's list.
            models.Index(fields=["team", "-created_at"], condition=Q(deleted_at=None), name="workflows_of_a_team"),
            # The listener's load and reload.
            models.Index(fields=["trigger_type"], condition=Q(enabled=True), name="workflows_enabled"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(enabled=False) | Q(deleted_at=None), name="a_deleted_workflow_is_not_enabled"
            ),
            models.CheckConstraint(condition=Q(max_lamports_per_tx__gte=0), name="max_lamports_per_tx_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def next_due_at(self) -> datetime | None:
        """When its schedule runs it next; None unless it is enabled and has one."""
        if not self.enabled or self.trigger_type != "schedule":
            return None
        schedule = getattr(self, "schedule", None)
        return None if schedule is None else schedule.next_due_at


class WorkflowVersion(models.Model):
    """One definition as it was published. Executions point at the version that was current when their event came in."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="one_version_of_a_number")]

    def __str__(self) -> str:
        return f"{self.workflow_id} v{self.number}"
