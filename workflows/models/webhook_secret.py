from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from workflows.models.workflow import Workflow


class WebhookSecret(models.Model):
    """What a sender of an inbound webhook proves to know. Shown once, when it is made.

    Of `standard` the key is kept, in a locked box that web opens to check signatures (accounts.locking); of `header`
    only the SHA-256 of the whole Authorization value: it has 256 random bits, so a slow hash adds nothing.
    """

    class Auth(models.TextChoices):
        STANDARD = "standard", "Signature"
        HEADER = "header", "Authorization header"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="webhook_secrets", db_index=False, editable=False
    )
    auth = models.CharField(max_length=10, choices=Auth.choices)
    locked = models.BinaryField(null=True)
    digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    created_at = models.DateTimeField()
    # Null for the current one; those before it stay valid until then.
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # The door reads all that are valid, the page when the current one was made.
            models.Index(fields=["workflow", "auth", "-created_at"], name="webhook_secrets_of_a_workflow"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "auth"], condition=Q(expires_at=None), name="one_current_webhook_secret"
            ),
            models.CheckConstraint(
                condition=Q(auth="standard", locked__isnull=False, digest="")
                | Q(auth="header", locked=None) & ~Q(digest=""),
                name="a_webhook_secret_is_locked_or_hashed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.auth} of {self.workflow_id}"
