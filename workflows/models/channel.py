from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from accounts.models import Team


class Channel(models.Model):
    """Where messages go. Its URL or token is in a sealed box; `shown` is what people see of it.

    `sealed_key` is the box of the key by which its messages are signed, for a webhook. `made_secret` is that key in the
    one moment in which it may be told: after it was made, and nowhere in the database.
    """

    made_secret: str | None = None

    class Type(models.TextChoices):
        DISCORD = "discord", "Discord"
        TELEGRAM = "telegram", "Telegram"
        SLACK = "slack", "Slack"
        EMAIL = "email", "Email"
        WEBHOOK = "webhook", "Webhook"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="channels")
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=10, choices=Type.choices)
    sealed = models.BinaryField()
    sealed_key = models.BinaryField(null=True, blank=True)
    shown = models.JSONField(default=dict)
    # Since when no message has arrived, and how many attempts failed meanwhile: workflows.services.channel_health.
    failing_since = models.DateTimeField(null=True, blank=True)
    failures_in_row = models.PositiveIntegerField(default=0, db_default=0)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["team", "name"], condition=Q(deleted_at=None), name="channels_of_a_team")]

    @property
    def where(self) -> str:
        """What is shown of where it sends to."""
        shown = self.shown
        place = shown.get("webhook_url") or shown.get("url") or shown.get("chat_id") or shown.get("to") or ""
        return ", ".join(place) if isinstance(place, list) else str(place)

    def __str__(self) -> str:
        return self.name
