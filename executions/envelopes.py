"""From a claimed row to something that can be sent: the channel's secret opened, the message written. Worker only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.conf import settings
from django.utils import timezone

from accounts.sealing import SealError, unseal
from executions.channels.base import Channel as ChannelKind
from executions.channels.base import ChannelError, Message, Outbound, Pace
from executions.channels.registry import channel_for
from executions.deliveries import Claimed
from executions.explorer import Explorer
from executions.messages import build, build_test
from executions.models import Execution
from executions.selectors import execution_detail
from workflows.models import Channel
from workflows.templating import TemplateError

TEST = "test"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message, where it goes and how. Its repr shows no secret."""

    channel: Channel
    kind: ChannelKind
    config: Mapping[str, Any] = field(repr=False)
    message: Message

    def send(self, deadline: float) -> Pace:
        """Send it once, over by `deadline` (of `time.monotonic()`). Touches no database: it runs in a sender's thread.

        Raises:
            ChannelError: see executions.channels.base.
        """
        return self.kind.send(self.config, self.message, Outbound(settings.OUTBOUND_ALLOWED_HOSTS, deadline))


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
    return Envelope(channel, kind, _open(channel), _message(claimed, channel, kind))


def _open(channel: Channel) -> dict[str, Any]:
    try:
        config: dict[str, Any] = orjson.loads(unseal("channel", channel.id, bytes(channel.sealed)))
    except SealError as error:
        raise ChannelError(f"the channel's secret cannot be opened: {error}") from None
    return config


def _message(claimed: Claimed, channel: Channel, kind: ChannelKind) -> Message:
    explorer = Explorer(settings.SOLANA_NETWORK, settings.SOLANA_RPC_URLS[0])
    if claimed.outcome == TEST:
        return build_test(channel.name, explorer=explorer, at=timezone.now().isoformat())
    execution = Execution.objects.select_related("workflow", "version").filter(id__in=[claimed.execution_id]).first()
    if execution is None:
        raise ChannelError("its execution is no longer kept", permanent=True)
    workflow = {"id": str(execution.workflow_id), "name": execution.workflow.name}
    try:
        return build(
            claimed.outcome,
            claimed.template,
            execution_detail(execution),
            workflow,
            explorer=explorer,
            escape=kind.escape,
        )
    except TemplateError as error:
        raise ChannelError(f"the notification's text is malformed: {error}", permanent=True) from None
