"""From a claimed row to something that can be sent: the channel's secret opened, the message written. Worker only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid5

import orjson
from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from accounts.sealing import SealError, unseal
from executions import deliveries
from executions.channels.base import Channel as ChannelKind
from executions.channels.base import ChannelError, MailServer, Message, Outbound, Pace
from executions.channels.registry import channel_for
from executions.deliveries import Claimed
from executions.digests import Told, build_digest
from executions.explorer import Explorer
from executions.messages import build, build_test
from executions.models import Execution
from executions.selectors import execution_detail, last_attempts
from executions.trail import Trail
from workflows.models import Channel
from workflows.specs.channels.config import SIGNED_BY
from workflows.templating import TemplateError

TEST = "test"
# Few enough to be read, and to be within every channel's limits.
TOLD_IN_A_DIGEST = 15
# In the message for machines.
NAMED_IN_A_DIGEST = 500


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message, where it goes and how. Its repr shows no secret."""

    channel: Channel
    kind: ChannelKind
    config: Mapping[str, Any] = field(repr=False)
    message: Message
    # The executions that it tells of, the first ones of many.
    trails: Sequence[Trail] = ()

    def send(self, deadline: float) -> Pace:
        """Send it once, over by `deadline` (of `time.monotonic()`). Touches no database: it runs in a sender's thread.

        Raises:
            ChannelError: see executions.channels.base.
        """
        outbound = Outbound(settings.OUTBOUND_ALLOWED_HOSTS, deadline, mail_server())
        return self.kind.send(self.config, self.message, outbound)


def write(claimed: Claimed) -> Envelope:
    """The envelope for a claimed row.

    Raises:
        ChannelError: it cannot be sent: the channel is gone or off, the execution is no longer kept, or the box does
            not open here (which a worker with the right key may do better).
    """
    channel = Channel.objects.get(pk=claimed.channel_id)
    if channel.deleted_at is not None:
        raise ChannelError("the channel was deleted", permanent=True)
    # A test goes out all the same: it is how a person finds out whether the channel works again.
    if channel.disabled_at is not None and claimed.outcome != TEST:
        raise ChannelError(f"the channel is switched off: {channel.disabled_reason}", permanent=True)
    kind = channel_for(channel.type)
    message, trails = _message(claimed, channel, kind)
    return Envelope(channel, kind, _open(channel), message, trails)


def _open(channel: Channel) -> dict[str, Any]:
    """The whole config: what is shown of it, with the secrets in place of their masks."""
    try:
        config = {**channel.shown, **orjson.loads(unseal("channel", channel.id, bytes(channel.sealed)))}
        if channel.sealed_key:
            config[SIGNED_BY] = unseal("channel_key", channel.id, bytes(channel.sealed_key)).decode()
    except SealError as error:
        raise ChannelError(f"the channel's secret cannot be opened: {error}") from None
    return config


def _message(claimed: Claimed, channel: Channel, kind: ChannelKind) -> tuple[Message, Sequence[Trail]]:
    explorer = Explorer(settings.SOLANA_NETWORK, settings.SOLANA_RPC_URLS[0])
    if claimed.outcome == TEST:
        test = build_test(channel.name, explorer=explorer, at=timezone.now().isoformat())
        return replace(test, id=message_id(claimed, "")), ()
    execution = Execution.objects.select_related("workflow", "version").filter(id__in=[claimed.execution_id]).first()
    if execution is None:
        raise ChannelError("its execution is no longer kept", permanent=True)
    workflow = {"id": str(execution.workflow_id), "name": execution.workflow.name}
    gathered = deliveries.gathered(claimed)
    if len(gathered) > 1:
        ids = _named(gathered)
        digest = _digest(gathered, ids, workflow, explorer, kind.escape)
        trails = [Trail(one, execution.workflow_id) for one in ids]
        return replace(digest, id=message_id(claimed, execution.execution_id)), trails
    try:
        message = build(
            claimed.outcome,
            claimed.template,
            execution_detail(execution),
            workflow,
            explorer=explorer,
            escape=kind.escape,
        )
    except TemplateError as error:
        raise ChannelError(f"the notification's text is malformed: {error}", permanent=True) from None
    trail = Trail(execution.execution_id, execution.workflow_id)
    return replace(message, id=message_id(claimed, execution.execution_id)), (trail,)


def _named(gathered: Sequence[int]) -> list[str]:
    rows = Execution.objects.filter(id__in=gathered).order_by("id")
    return list(rows.values_list("execution_id", flat=True)[:NAMED_IN_A_DIGEST])


def _digest(
    gathered: Sequence[int],
    ids: Sequence[str],
    workflow: Mapping[str, str],
    explorer: Explorer,
    escape: Callable[[str], str],
) -> Message:
    """One message about many executions: all are counted, the newest are told."""
    rows = Execution.objects.filter(id__in=gathered)
    counts = dict(rows.values_list("status").annotate(Count("id")).order_by())
    newest = list(rows.order_by("-id")[:TOLD_IN_A_DIGEST])
    attempts = last_attempts(newest)
    told = [
        Told(
            one.status,
            one.completed_at or one.created_at,
            one.event,
            one.error_detail or one.error_code,
            attempts[one.id].signature if one.id in attempts else None,
        )
        for one in newest
    ]
    return build_digest(told, counts, ids, workflow, explorer=explorer, escape=escape)


def message_id(claimed: Claimed, execution_id: str) -> str:
    """What a receiver knows the message by, however often it is sent. The execution is in it because a database that
    was restored counts deliveries anew."""
    return f"msg_{uuid5(claimed.channel_id, f'{claimed.id}:{claimed.outcome}:{execution_id}').hex}"


def mail_server() -> MailServer | None:
    """EMAIL_URL, as channels take it; None where it is not set."""
    if not settings.EMAIL_HOST:
        return None
    required = getattr(settings, "EMAIL_TLS_REQUIRED", False)
    return MailServer(
        settings.EMAIL_HOST,
        settings.EMAIL_PORT,
        settings.DEFAULT_FROM_EMAIL,
        "at_once" if settings.EMAIL_USE_SSL else "required" if required else "offered",
        settings.EMAIL_HOST_USER,
        settings.EMAIL_HOST_PASSWORD,
    )
