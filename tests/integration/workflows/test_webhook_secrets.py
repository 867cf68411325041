"""Secrets of webhooks: told once, kept unreadable, replaced without a gap."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction

from accounts.actors import Actor
from accounts.errors import Missing, Refused
from accounts.models import AuditEntry
from workflows.models import WebhookSecret, Workflow
from workflows.selectors import webhook_secrets_valid
from workflows.services import webhook_secret_make, workflow_delete
from workflows.services.webhook_secret import MOST_VALID, header_digest, signing_key

Make = Callable[..., Workflow]
NINE = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def hook(auth: str = "standard") -> dict[str, Any]:
    return {"trigger": {"type": "webhook", "auth": auth}}


def test_a_signing_secret_is_what_standard_webhooks_calls_one(make: Make, alice: Actor) -> None:
    made = webhook_secret_make(actor=alice, workflow=make(hook()))
    key = base64.b64decode(made.secret.removeprefix("whsec_"))
    assert (made.auth, made.secret[:6], len(key), made.old_valid_until) == ("standard", "whsec_", 32, None)
    assert signing_key(WebhookSecret.objects.get()) == key


def test_a_header_secret_is_kept_as_its_hash_only(make: Make, alice: Actor) -> None:
    made = webhook_secret_make(actor=alice, workflow=make(hook("header")))
    row = WebhookSecret.objects.get()
    assert (made.auth, row.locked, row.digest) == ("header", None, header_digest(made.secret))
    assert len(made.secret) > 40 and made.secret.isascii() and " " not in made.secret


@pytest.mark.parametrize("auth", ["standard", "header"])
def test_no_row_and_no_text_of_an_object_holds_the_secret(make: Make, alice: Actor, auth: str) -> None:
    made = webhook_secret_make(actor=alice, workflow=make(hook(auth)))
    text = made.secret.removeprefix("whsec_")
    row = WebhookSecret.objects.values().get()
    kept = b"".join(
        str(value).encode() + (bytes(value) if isinstance(value, memoryview) else b"") for value in row.values()
    )
    assert text.encode() not in kept and base64.b64decode(text + "==", altchars=b"-_") not in kept
    assert text not in repr(made)
    assert text not in str(list(AuditEntry.objects.values()))


def test_rotating_keeps_the_old_one_for_a_day(make: Make, alice: Actor) -> None:
    workflow = make(hook())
    with time_machine.travel(NINE, tick=False):
        webhook_secret_make(actor=alice, workflow=workflow)
        made = webhook_secret_make(actor=alice, workflow=workflow)
        assert made.old_valid_until == NINE + timedelta(days=1)
        expiries = [row.expires_at for row in webhook_secrets_valid(workflow=workflow, auth="standard")]
        assert sorted(expiries, key=str) == [NINE + timedelta(days=1), None]
    with time_machine.travel(NINE + timedelta(days=1), tick=False):
        assert webhook_secrets_valid(workflow=workflow, auth="standard").count() == 1


def test_rotating_twice_keeps_what_senders_still_use(make: Make, alice: Actor) -> None:
    """A double click must not lock out the senders of the first secret."""
    workflow = make(hook())
    for _ in range(3):
        webhook_secret_make(actor=alice, workflow=workflow)
    assert webhook_secrets_valid(workflow=workflow, auth="standard").count() == 3


def test_the_number_of_valid_secrets_is_bounded(make: Make, alice: Actor) -> None:
    workflow = make(hook())
    for _ in range(MOST_VALID + 3):
        newest = webhook_secret_make(actor=alice, workflow=workflow)
    assert WebhookSecret.objects.count() == MOST_VALID
    current = WebhookSecret.objects.get(expires_at=None)
    assert base64.b64encode(signing_key(current)).decode() == newest.secret.removeprefix("whsec_")


def test_a_secret_can_be_made_that_ends_all_others(make: Make, alice: Actor) -> None:
    workflow = make(hook())
    webhook_secret_make(actor=alice, workflow=workflow)
    made = webhook_secret_make(actor=alice, workflow=workflow, keep_old=False)
    assert (made.old_valid_until, WebhookSecret.objects.count()) == (None, 1)


def test_who_made_it_is_in_the_audit_log(make: Make, alice: Actor) -> None:
    workflow = make(hook())
    webhook_secret_make(actor=alice, workflow=workflow)
    webhook_secret_make(actor=alice, workflow=workflow)
    entries = AuditEntry.objects.filter(target_id=str(workflow.id), action__startswith="webhook").order_by("id")
    assert [(entry.action, entry.actor, entry.detail) for entry in entries] == [
        ("webhook_secret_made", "user:alice", {"auth": "standard", "kept_old": True}),
        ("webhook_secret_rotated", "user:alice", {"auth": "standard", "kept_old": True}),
    ]


def test_only_a_webhook_has_one(make: Make, alice: Actor) -> None:
    with pytest.raises(Refused) as error:
        webhook_secret_make(actor=alice, workflow=make())
    assert error.value.code == "not_a_webhook"


def test_a_deleted_workflow_gets_none(make: Make, alice: Actor) -> None:
    workflow = make(hook())
    workflow_delete(actor=alice, workflow=workflow)
    with pytest.raises(Missing):
        webhook_secret_make(actor=alice, workflow=workflow)


def test_the_database_keeps_one_current_secret_and_neither_a_bare_nor_a_double_one(make: Make, alice: Actor) -> None:
    workflow = make(hook())
    webhook_secret_make(actor=alice, workflow=workflow)
    wrong: list[dict[str, Any]] = [
        {"auth": "standard", "locked": b"x"},
        {"auth": "header", "digest": ""},
        {"auth": "header", "digest": "x", "locked": b"x"},
        {"auth": "standard", "expires_at": NINE},
    ]
    for columns in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            WebhookSecret.objects.create(workflow=workflow, created_at=NINE, **columns)
