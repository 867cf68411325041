"""Messages, and when they may go."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Team
from executions.models.moves import choices
from executions.states import DeliveryStatus
from workflows.models import Channel


class Delivery(models.Model):
    """One message to one channel; written in the transaction that completes its execution (none for a test message)."""

    execution_id = models.BigIntegerField(null=True, blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    outcome = models.CharField(max_length=10, help_text="A status that tells, recovered, reverted, paused or test.")
    template = models.JSONField(default=dict, help_text="The notification's part of the definition.")
    status = models.CharField(max_length=10, choices=choices(DeliveryStatus), default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    maybe_repeated = models.BooleanField(default=False)
    digest = models.CharField(
        max_length=80, null=True, blank=True, db_collation="C",
        help_text="Messages of one digest are sent as one, with the first of them: executions.gathering.",
    )  # fmt: skip
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["execution_id"], name="deliveries_of_an_execution"),
            # The sender's claim.
            models.Index(fields=["next_attempt_at"], condition=Q(status="pending"), name="deliveries_due"),
            # Of a digest only the first is claimed, and brings the others.
            models.Index(
                fields=["digest", "id"], condition=Q(status="pending", digest__isnull=False), name="deliveries_gathered"
            ),
            # The channels page: the newest message of each.
            models.Index(fields=["channel", "-id"], name="deliveries_of_a_channel"),
            # The list of messages.
            models.Index(fields=["team", "-id"], name="deliveries_of_a_team"),
            # The overview: what was given up lately.
            models.Index(fields=["team", "-id"], condition=Q(status="dead"), name="deliveries_dead"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} to {self.channel_id}"


class Quiet(models.Model):
    """Until when a notification with a cooldown tells nothing at once (executions.gathering)."""

    key = models.CharField(max_length=32, primary_key=True, db_collation="C")
    until = models.DateTimeField()
    gathers = models.BooleanField(default=False, help_text="Something waits to be told at its end.")

    class Meta:
        verbose_name_plural = "quiet times"

    def __str__(self) -> str:
        return f"{self.key[:8]} until {self.until:%H:%M:%S}"


class SendWindow(models.Model):
    """How much one destination of messages may still get: executions.pacing's state, moved under this row's lock.

    It is here and not in Redis because a receiver's bound must hold when Redis was flushed or two workers disagree.
    """

    bucket = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the destination, a secret itself.")
    state = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.bucket[:8]
