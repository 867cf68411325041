from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from accounts.models import Team
from workflows.specs.signer_backends import LOCAL, NAMES


class Signer(models.Model):
    """A key that pays and signs. In a sealed box that only the worker opens is the secret (executions.keys) or, where
    another `backend` keeps that, how to ask for signatures (executions.keychain); `config` is what is shown of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="signers")
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=44)
    backend = models.CharField(max_length=20, default=LOCAL, db_default=LOCAL)
    config = models.JSONField(default=dict, db_default={}, blank=True)
    sealed = models.BinaryField()
    max_lamports_per_day = models.BigIntegerField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # Spending limits are kept per row, so one key must not be two rows.
            models.UniqueConstraint(fields=["address"], condition=Q(deleted_at=None), name="one_signer_of_an_address")
        ]

    @property
    def is_local(self) -> bool:
        """Whether the key itself is in the box."""
        return self.backend == LOCAL

    @property
    def kept_by(self) -> str:
        """Who has the key, as people call it."""
        return NAMES[self.backend]

    def __str__(self) -> str:
        return f"{self.name} ({self.address})"
