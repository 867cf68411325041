"""What a channel's `config` may be, what is sealed of it and what people see of it. Pure: web, import and tests use it.

A kind is one module here (check and mask) and one in executions.channels (send). `SERVED` lists them, a line each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workflows.specs.channels import discord, email, slack, telegram, webhook
from workflows.specs.channels.config import CheckedConfig, Keys, mask
from workflows.specs.errors import SpecError, SpecErrors

__all__ = ["SERVED", "CheckedConfig", "mask", "validate_config"]

SERVED: Mapping[str, Callable[[Sequence[str]], Keys]] = {
    "discord": discord.keys,
    "slack": slack.keys,
    "telegram": telegram.keys,
    "email": email.keys,
    "webhook": webhook.keys,
}


def validate_config(
    kind: str, config: Any, *, allowed_hosts: Sequence[str] = (), shown: Mapping[str, Any] | None = None
) -> CheckedConfig:
    """The config of a channel of `kind`, normalised, and what is shown of it.

    `shown` is the mask of the channel that is being changed: a secret that is left out, or is its mask, stays.

    Raises:
        SpecErrors: with paths `type`, `config` and below; no text repeats a value.
    """
    keys_of = SERVED.get(kind)
    if keys_of is None:
        raise SpecErrors([SpecError("type", "unknown_type", f"type must be one of: {', '.join(SERVED)}.")])
    if not isinstance(config, Mapping):
        raise SpecErrors([SpecError("config", "wrong_type", "config must be an object.")])
    return keys_of(allowed_hosts).read(config, shown or {})
