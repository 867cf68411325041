"""Rotation of keys: whatever happens in between, everything opens, and afterwards the newest keys are enough."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import BinaryField
from solders.keypair import Keypair

from accounts import locking, sealing
from accounts.actors import Actor, system
from accounts.models import AuditEntry
from accounts.services import default_team
from executions.keys import open_signer
from solflow import rotation
from solflow.boxes import BOXES
from solflow.doctor import Level
from solflow.doctor import keys as key_checks
from tests.encryption import KeyPair, new_pair, use_next_to_the_old
from tests.waiting import wait_for
from workflows.models import Channel, Signer, WebhookSecret
from workflows.services import (
    channel_create,
    channel_delete,
    channel_update,
    signer_create,
    signer_delete,
    webhook_secret_make,
    workflow_create,
)
from workflows.services.webhook_secret import signing_key

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

DISCORD_URL = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123"
OTHER_URL = "https://discord.com/api/webhooks/123456789012345678/another-token-of-the-same-hook"


@pytest.fixture
def actor() -> Actor:
    return system(default_team(), "test")


@pytest.fixture
def signer(actor: Actor) -> Signer:
    return signer_create(actor=actor, name="treasury")


@pytest.fixture
def channel(actor: Actor) -> Channel:
    return channel_create(actor=actor, name="ops", type="discord", config={"webhook_url": DISCORD_URL})


@pytest.fixture
def secret(actor: Actor) -> WebhookSecret:
    """The signing secret of an inbound webhook."""
    definition = {"trigger": {"type": "webhook"}}
    workflow = workflow_create(actor=actor, definition=definition, settings={"name": "hook"})
    webhook_secret_make(actor=actor, workflow=workflow)
    return WebhookSecret.objects.get()


@pytest.fixture
def pair(settings: Any) -> KeyPair:
    """A new key, which the worker and web already use beside the old one."""
    made = new_pair()
    use_next_to_the_old(made, settings)
    return made


def url_in(channel: Channel) -> str:
    channel.refresh_from_db()
    url: str = json.loads(sealing.unseal("channel", channel.pk, channel.sealed))["webhook_url"]
    return url


def command() -> str:
    out = io.StringIO()
    call_command("rotate_encryption_keys", stdout=out)
    return out.getvalue()


def test_after_it_the_new_keys_open_everything_alone(
    actor: Actor, signer: Signer, channel: Channel, secret: WebhookSecret, settings: Any
) -> None:
    gone = signer_create(actor=actor, name="gone")
    signer_delete(actor=actor, signer=gone)
    hook = channel_create(actor=actor, name="hook", type="webhook", config={"url": "https://example.com/hook"})
    channel_delete(actor=actor, channel=hook)
    locked_key = signing_key(secret)
    made = new_pair()
    use_next_to_the_old(made, settings)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = (
        [settings.SECRET_KEY],
        "another-secret-key-of-fifty-characters-at-least-here",
    )

    told = command()

    settings.FIELD_ENCRYPTION_KEYS, settings.SECRET_KEY_FALLBACKS = [made.private], []
    for line in ("signer: 2 closed anew", "channel: 2 closed", "channel key: 1 closed", "webhook secret: 1 closed"):
        assert line in told
    for row in (signer, gone):
        row.refresh_from_db()
        assert open_signer(row).address == row.address
    assert url_in(channel) == DISCORD_URL
    hook.refresh_from_db()
    assert sealing.unseal("channel_key", hook.pk, hook.sealed_key or b"").startswith(b"whsec_")
    secret.refresh_from_db()
    assert signing_key(secret) == locked_key


def test_a_backends_credentials_open_with_the_new_key(actor: Actor, settings: Any) -> None:
    config = {"api_base_url": "https://vault.example.com", "token": "hvs.a-token", "key_name": "treasury"}
    address = str(Keypair().pubkey())
    signer = signer_create(actor=actor, name="vaulted", backend="vault", address=address, config=config)
    made = new_pair()
    use_next_to_the_old(made, settings)

    assert "signer: 1 closed anew" in command()

    settings.FIELD_ENCRYPTION_KEYS = [made.private]
    signer.refresh_from_db()
    assert json.loads(sealing.unseal("signer", signer.pk, signer.sealed)) == config


def test_a_second_run_finds_nothing_to_do_and_says_so(signer: Signer, pair: KeyPair) -> None:
    command()
    signer.refresh_from_db()
    box = bytes(signer.sealed)
    assert "signer: 0 closed anew, 1 under the newest key" in command()
    signer.refresh_from_db()
    assert bytes(signer.sealed) == box


def test_rows_look_as_if_nobody_had_changed_them(channel: Channel, pair: KeyPair) -> None:
    before = Channel.objects.values("updated_at", "shown", "name").get()
    command()
    assert Channel.objects.values("updated_at", "shown", "name").get() == before


def test_it_is_in_the_audit_log_with_counts_alone(signer: Signer, channel: Channel, pair: KeyPair) -> None:
    command()
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.actor, entry.target_type) == (
        "encryption_keys_rotated",
        "system:command",
        "installation",
    )
    assert entry.detail == {
        "resealed": {"signer": 1, "channel": 1, "channel_key": 0, "second_factor": 0, "webhook_secret": 0},
        "newest": {"signer": 1, "channel": 1, "channel_key": 0, "second_factor": 0, "webhook_secret": 0},
        "shut": 0,
    }


def environment_of(settings: Any) -> dict[str, str]:
    """What a worker is told during a rotation."""
    keys = ",".join(settings.FIELD_ENCRYPTION_KEYS)
    return {
        **os.environ,
        "FIELD_ENCRYPTION_KEYS": keys,
        "FIELD_ENCRYPTION_PUBLIC_KEY": settings.FIELD_ENCRYPTION_PUBLIC_KEY,
    }


def test_the_role_of_the_application_is_enough(signer: Signer, channel: Channel, pair: KeyPair, settings: Any) -> None:
    environment = environment_of(settings)
    del environment["DATABASE_OWNER_URL"]
    done = subprocess.run(
        [sys.executable, "manage.py", "rotate_encryption_keys"],
        env=environment,
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "signer: 1 closed anew, 1 under the newest key" in done.stdout


def test_a_rotation_that_was_killed_leaves_everything_open_and_is_run_again(actor: Actor, settings: Any) -> None:
    made = sorted((signer_create(actor=actor, name=f"signer {number}") for number in range(6)), key=lambda row: row.pk)
    pair = new_pair()
    use_next_to_the_old(pair, settings)
    environment = environment_of(settings)

    def closed_anew() -> int:
        return sum(sealing.under_newest("signer", row.pk, row.sealed) for row in Signer.objects.all())

    with transaction.atomic():
        # Whoever signs with the fourth holds its row: the rotation waits there until it is killed.
        Signer.objects.select_for_update().get(pk=made[3].pk)
        process = subprocess.Popen(
            [sys.executable, "manage.py", "rotate_encryption_keys"], env=environment, cwd=django_settings.BASE_DIR
        )
        try:
            wait_for(lambda: closed_anew() == 3, 60, "three signers closed anew")
        finally:
            process.kill()
            process.wait()

    for row in Signer.objects.all():
        assert open_signer(row).address == row.address
    assert closed_anew() == 3
    assert "signer: 3 closed anew, 6 under the newest key" in command()


def test_a_channel_that_is_changed_meanwhile_keeps_its_change(actor: Actor, channel: Channel, pair: KeyPair) -> None:
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(rotation.rotate(actor=actor))
        finally:
            connection.close()

    running = threading.Thread(target=run)
    with transaction.atomic():
        channel_update(actor=actor, channel=channel, changes={"config": {"webhook_url": OTHER_URL}})
        running.start()
        wait_for(somebody_waits_for_a_lock, 20)
    running.join(20)

    assert found and found[0].shut == []
    assert url_in(channel) == OTHER_URL


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_what_is_closed_under_the_old_key_meanwhile_is_found_too(
    actor: Actor, signer: Signer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = settings.FIELD_ENCRYPTION_PUBLIC_KEY
    pair = new_pair()
    use_next_to_the_old(pair, settings)

    def closing(kind: str, row_id: object, secret: bytes) -> bytes:
        if not Signer.objects.filter(name="late").exists():
            # A web process that was not told the new key yet.
            settings.FIELD_ENCRYPTION_PUBLIC_KEY = old
            signer_create(actor=actor, name="late")
            settings.FIELD_ENCRYPTION_PUBLIC_KEY = pair.public
        return sealing.seal(kind, row_id, secret)

    monkeypatch.setattr(rotation, "BOXES", (replace(BOXES[0], close=closing), *BOXES[1:]))
    done = rotation.rotate(actor=actor)
    assert (done.resealed["signer"], done.newest["signer"]) == (2, 2)


def test_a_box_that_no_key_opens_is_named_and_the_others_are_closed_anew(
    actor: Actor, signer: Signer, pair: KeyPair
) -> None:
    lost = signer_create(actor=actor, name="lost")
    Signer.objects.filter(pk=lost.pk).update(sealed=b"from another installation")
    with pytest.raises(CommandError, match="no key here opens: signer lost"):
        command()
    signer.refresh_from_db()
    assert sealing.under_newest("signer", signer.pk, signer.sealed)
    assert AuditEntry.objects.latest("id").detail["shut"] == 1


def test_a_box_that_was_copied_into_another_row_is_not_made_valid_there(
    actor: Actor, signer: Signer, settings: Any
) -> None:
    thief = signer_create(actor=actor, name="thief")
    Signer.objects.filter(pk=thief.pk).update(sealed=signer.sealed)
    use_next_to_the_old(new_pair(), settings)
    with pytest.raises(CommandError, match="no key here opens: signer thief"):
        command()
    thief.refresh_from_db()
    with pytest.raises(sealing.SealError):
        open_signer(thief)


@pytest.mark.parametrize(
    ("keys", "public", "words"),
    [
        ([], None, "FIELD_ENCRYPTION_KEYS is empty"),
        (["new", "short"], "new", "number 2 of FIELD_ENCRYPTION_KEYS must be 32 bytes"),
        (["!", "old"], "new", "number 1 of FIELD_ENCRYPTION_KEYS must be 32 bytes"),
        (["new", "old"], "", "FIELD_ENCRYPTION_PUBLIC_KEY must be 32 bytes"),
        (["new", "old"], "old", "must be the public half of the first"),
        (["old", "new"], "new", "must be the public half of the first"),
    ],
)
def test_without_the_right_keys_nothing_is_touched(
    keys: list[str], public: str | None, words: str, signer: Signer, settings: Any
) -> None:
    fresh, box = new_pair(), bytes(signer.sealed)
    private = {"new": fresh.private, "old": settings.FIELD_ENCRYPTION_KEYS[0], "short": "AAAA", "!": "!"}
    publics = {"new": fresh.public, "old": settings.FIELD_ENCRYPTION_PUBLIC_KEY, "": "", None: fresh.public}
    settings.FIELD_ENCRYPTION_KEYS = [private[name] for name in keys]
    settings.FIELD_ENCRYPTION_PUBLIC_KEY = publics[public]
    with pytest.raises(CommandError, match=words) as caught:
        command()
    assert fresh.private not in str(caught.value)
    signer.refresh_from_db()
    assert bytes(signer.sealed) == box
    assert not AuditEntry.objects.filter(action="encryption_keys_rotated").exists()


def test_every_column_that_may_hold_a_box_is_known_or_holds_no_secret() -> None:
    known = {(box.model, box.column) for box in BOXES}
    no_secrets = {
        "executions.Attempt.raw",
        "listener.AccountState.data_hash",
        # A passkey's public half, its name at the authenticator, and what was asked in public for five minutes.
        "accounts.Passkey.credential",
        "accounts.Passkey.credential_id",
        "accounts.PasskeyChallenge.challenge",
    }
    found = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, BinaryField) and f"{model._meta.label}.{field.name}" not in no_secrets
    }
    assert found == known


def told() -> dict[str, Any]:
    return {finding.subject: finding for check in (key_checks.encryption, key_checks.locks) for finding in check()}


def test_the_doctor_tells_until_when_the_old_keys_are_needed(
    actor: Actor, signer: Signer, channel: Channel, secret: WebhookSecret, settings: Any
) -> None:
    assert {finding.level for finding in told().values()} == {Level.OK}
    signer_delete(actor=actor, signer=signer)
    use_next_to_the_old(new_pair(), settings)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = (
        [settings.SECRET_KEY],
        "another-secret-key-of-fifty-characters-at-least-here",
    )

    sealed, locked = told()["sealed secrets"], told()["locked secrets"]
    assert (sealed.level, locked.level) == (Level.WARN, Level.WARN)
    assert sealed.found.startswith("2 are not under the newest key") and "rotate_encryption_keys" in sealed.advice
    assert locked.found.startswith("1 are not")

    command()
    assert {finding.level for finding in told().values()} == {Level.OK}


def test_the_doctor_names_what_opens_no_more_deleted_signers_and_webhooks_too(
    actor: Actor, signer: Signer, channel: Channel, secret: WebhookSecret, settings: Any
) -> None:
    signer_delete(actor=actor, signer=signer)
    channel_delete(actor=actor, channel=channel)
    pair = new_pair()
    settings.FIELD_ENCRYPTION_KEYS, settings.FIELD_ENCRYPTION_PUBLIC_KEY = [pair.private], pair.public
    settings.SECRET_KEY = "another-secret-key-of-fifty-characters-at-least-here"
    assert told()["sealed secrets"].found == "no key here opens those of signer treasury (deleted)"
    assert told()["locked secrets"].level is Level.FAIL
    assert locking.under_newest("webhook_secret", secret.pk, secret.locked or b"") is False
