"""Kind -> channel. One line each; what a kind's config may be is workflows.specs.channels, a line there too."""

from __future__ import annotations

from collections.abc import Mapping

from executions.channels.base import Channel, ChannelError
from executions.channels.discord import Discord
from executions.channels.email import Email
from executions.channels.slack import Slack
from executions.channels.telegram import Telegram
from executions.channels.webhook import Webhook

CHANNELS: Mapping[str, Channel] = {
    "discord": Discord(),
    "slack": Slack(),
    "telegram": Telegram(),
    "email": Email(),
    "webhook": Webhook(),
}


def channel_for(kind: str) -> Channel:
    """The channel that sends messages of `kind`.

    Raises:
        ChannelError: permanent; this version cannot send to it.
    """
    try:
        return CHANNELS[kind]
    except KeyError:
        raise ChannelError(f"channels of type {kind} cannot be sent to", permanent=True) from None
