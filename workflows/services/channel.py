"""The only writers of channels. What a config is, is said in workflows.specs.channels; its secret is sealed at once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Missing, Refused
from accounts.sealing import seal
from workflows.errors import invalid
from workflows.models import Channel
from workflows.selectors import workflows_enabled_naming
from workflows.services.changes import write
from workflows.services.channel_health import HEALTHY
from workflows.specs.channels import CheckedConfig, validate_config
from workflows.specs.channels.config import SIGNED_BY
from workflows.specs.channels.webhook import new_secret
from workflows.specs.errors import SpecErrors


@transaction.atomic
def channel_create(*, actor: Actor, name: str, type: str, config: Any) -> Channel:  # noqa: A002 - the API's word
    """A channel whose secrets only the worker can open; a webhook's signing secret that was not given is made, and is
    told once, as `made_secret` of what is returned.

    Raises:
        Invalid: a type that cannot be sent to, or a config that it does not take; no text repeats a secret.
    """
    checked = _check(type, config, {})
    channel = Channel(id=uuid.uuid4(), team=actor.team, name=name, type=type, shown=checked.shown)
    channel.sealed = seal("channel", channel.id, json.dumps(checked.secret).encode())
    channel.made_secret = checked.made_secret
    if checked.signing_secret is not None:
        channel.sealed_key = seal("channel_key", channel.id, checked.signing_secret.encode())
    channel.save(force_insert=True)
    audit.record(actor, "channel_created", "channel", channel.id, target_name=name, type=type, config=checked.shown)
    return channel


@transaction.atomic
def channel_update(*, actor: Actor, channel: Channel, changes: Mapping[str, Any]) -> Channel:
    """Change `name` or `config`. A secret that is left out, or comes back masked, stays; another config brings a
    channel that was disabled for failing back into service.

    Raises:
        Invalid: as for channel_create.
    """
    channel = _lock(channel)
    values: dict[str, Any] = {"name": changes.get("name", channel.name)}
    changed = [name for name, value in values.items() if getattr(channel, name) != value]
    if "config" in changes:
        checked = _check(channel.type, changes["config"], channel.shown)
        config = _changed(channel, checked)
        if config:
            values |= {**config, **HEALTHY}
            changed.append("config")
    if changed:
        write(channel, values, also=["updated_at"])
        audit.record(
            actor,
            "channel_updated",
            "channel",
            channel.id,
            target_name=channel.name,
            changed=changed,
            config=channel.shown,
        )
    return channel


def channel_secret_make(*, actor: Actor, channel: Channel) -> Channel:
    """Another signing secret for a webhook, in use at once; told once, as `made_secret` of what is returned.

    Raises:
        Refused: its messages are not signed.
    """
    if channel.type != Channel.Type.WEBHOOK:
        raise Refused("only messages to a webhook are signed", code="not_a_webhook")
    secret = new_secret()
    changed = channel_update(actor=actor, channel=channel, changes={"config": {SIGNED_BY: secret}})
    changed.made_secret = secret
    return changed


@transaction.atomic
def channel_delete(*, actor: Actor, channel: Channel) -> None:
    """Raises Refused while an enabled workflow sends to it."""
    channel = _lock(channel)
    using = list(workflows_enabled_naming(team=actor.team, row_id=channel.id).values_list("name", flat=True)[:5])
    if using:
        raise Refused(f"enabled workflows send to it: {', '.join(using)}", code="channel_in_use")
    write(channel, {"deleted_at": timezone.now()}, also=["updated_at"])
    audit.record(actor, "channel_deleted", "channel", channel.id, target_name=channel.name)


def _check(kind: str, config: Any, shown: Mapping[str, Any]) -> CheckedConfig:
    try:
        return validate_config(kind, config, allowed_hosts=settings.OUTBOUND_ALLOWED_HOSTS, shown=shown)
    except SpecErrors as error:
        raise invalid(error.errors) from error


def _changed(channel: Channel, checked: CheckedConfig) -> dict[str, Any]:
    """The columns that another config changes; none where it says what was there."""
    columns: dict[str, Any] = {}
    if checked.secret is not None:
        columns["sealed"] = seal("channel", channel.id, json.dumps(checked.secret).encode())
    if checked.signing_secret is not None:
        columns["sealed_key"] = seal("channel_key", channel.id, checked.signing_secret.encode())
    if columns or checked.shown != channel.shown:
        columns["shown"] = checked.shown
    return columns


def _lock(channel: Channel) -> Channel:
    locked = Channel.objects.select_for_update().filter(pk=channel.pk, deleted_at=None).first()
    if locked is None:
        raise Missing("there is no such channel")
    return locked
