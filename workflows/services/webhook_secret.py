"""Secrets of inbound webhooks: made here, told once, checked by executions.hooks."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts import audit, locking
from accounts.actors import Actor
from accounts.errors import Refused
from workflows.models import WebhookSecret, Workflow
from workflows.services.changes import lock_workflow

KIND = "webhook_secret"
SIGNING_PREFIX = "whsec_"  # Standard Webhooks
HEADER_PREFIX = "hook_"
SECRET_BYTES = 32
OLD_VALID = timedelta(hours=24)
# Whoever rotates again and again does not make every request be checked against a growing list.
MOST_VALID = 5


@dataclass(frozen=True, slots=True)
class MadeSecret:
    """A new secret, the only time that it is told. `old_valid_until` is set where another one was kept."""

    auth: str
    secret: str = field(repr=False)
    old_valid_until: datetime | None


@transaction.atomic
def webhook_secret_make(*, actor: Actor, workflow: Workflow, keep_old: bool = True) -> MadeSecret:
    """A new secret for what the workflow's trigger asks of senders; the one before it stays valid for 24 hours.

    With `keep_old` False nothing made before is valid any more: for a secret that somebody has seen.

    Raises:
        Refused: the workflow is not started by a webhook.
        Missing: it was deleted meanwhile.
    """
    workflow = lock_workflow(workflow)
    if workflow.trigger_type != "webhook" or workflow.version is None:
        raise Refused("only a workflow whose trigger is a webhook has a webhook secret", code="not_a_webhook")
    auth, now = workflow.version.definition["trigger"]["auth"], timezone.now()
    expiring_at = _expire(workflow, auth, now, keep_old)
    secret = _make(workflow, auth, now)
    audit.record(
        actor,
        "webhook_secret_rotated" if expiring_at else "webhook_secret_made",
        "workflow",
        workflow.id,
        target_name=workflow.name,
        auth=auth,
        kept_old=keep_old,
    )
    return MadeSecret(auth, secret, expiring_at)


def signing_key(row: WebhookSecret) -> bytes:
    """The key of a `standard` secret.

    Raises:
        LockError: the SECRET_KEY under which it was locked is not known here any more.
    """
    return locking.unlock(KIND, row.id, bytes(row.locked or b""))


def header_digest(value: str) -> str:
    """What is kept of a `header` secret, and compared: the SHA-256 of the whole Authorization value."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


def _expire(workflow: Workflow, auth: str, now: datetime, keep_old: bool) -> datetime | None:
    """Until when the one that was current stays valid; None where there was none, or nothing is kept."""
    if not keep_old:
        WebhookSecret.objects.filter(workflow=workflow).delete()
        return None
    rows = WebhookSecret.objects.filter(workflow=workflow, auth=auth)
    rows.filter(expires_at__lte=now).delete()
    was_current = rows.filter(expires_at=None).update(expires_at=now + OLD_VALID)
    kept = list(rows.order_by("-created_at").values_list("pk", flat=True)[: MOST_VALID - 1])
    rows.exclude(pk__in=kept).delete()
    return now + OLD_VALID if was_current else None


def _make(workflow: Workflow, auth: str, now: datetime) -> str:
    row = WebhookSecret(id=uuid.uuid4(), workflow=workflow, auth=auth, created_at=now)
    if auth == WebhookSecret.Auth.STANDARD:
        key = secrets.token_bytes(SECRET_BYTES)
        row.locked = locking.lock(KIND, row.id, key)
        text = SIGNING_PREFIX + base64.b64encode(key).decode()
    else:
        text = HEADER_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        row.digest = header_digest(text)
    row.save(force_insert=True)
    return text
