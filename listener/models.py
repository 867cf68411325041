"""What the listener must not forget: what it watches, the last known states, and the times that it did not see."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Subscription(models.Model):
    """One RPC subscription (method, parameters, commitment), shared by every workflow that needs it.

    `checkpoint_slot` says up to where everything has been seen; it only grows, and only in the ingest transaction.
    `generation` grows whenever a workflow begins to want it, in the transaction that enables the workflow: ingest
    compares it with the one that it knows, so that no event is matched without the newcomer.
    """

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=64, unique=True, db_collation="C", help_text="SHA-256 of kind and parameters.")
    kind = models.CharField(max_length=20, help_text="listener.watches.Kind")
    address = models.CharField(max_length=88, help_text="What is watched; a signature where one transaction is.")
    params = models.JSONField(default=dict)
    commitment = models.CharField(max_length=10)
    checkpoint_slot = models.BigIntegerField(null=True, blank=True)
    checkpoint_signature = models.CharField(max_length=88, blank=True, default="")
    generation = models.BigIntegerField(default=0, db_default=0)
    events_seen = models.BigIntegerField(default=0, db_default=0)
    genesis_hash = models.CharField(max_length=44)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.address} ({self.commitment})"


class AccountState(models.Model):
    """The last known state of what one subscription watches of one account. Moved by compare-and-set: a transition of
    this row is an event, a notification is only a sample.

    Balance subscriptions fill `lamports` alone; account and program ones owner and data hash too.
    """

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="states", db_index=False)
    address = models.CharField(max_length=44)
    slot = models.BigIntegerField()
    lamports = models.DecimalField(max_digits=20, decimal_places=0)
    owner = models.CharField(max_length=44, blank=True, default="")
    data_hash = models.BinaryField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription", "address"], name="one_state_of_an_account")]

    def __str__(self) -> str:
        return f"{self.address} at {self.slot}"


class Gap(models.Model):
    """A stretch of slots that a subscription did not see live; a record until it is filled, or lost and said so."""

    class Status(models.TextChoices):
        OPEN = "open"
        FILLED = "filled"
        LOST = "lost"

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="gaps")
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    from_slot = models.BigIntegerField()
    to_slot = models.BigIntegerField()
    done_slot = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=40)
    note = models.CharField(max_length=200, blank=True, default="")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["subscription"], condition=Q(status="open"), name="gaps_open")]

    def __str__(self) -> str:
        return f"{self.from_slot} to {self.to_slot} ({self.status})"
