"""The config of a Discord channel: a webhook's URL, and as whom and where it posts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

from workflows.specs.channels.config import Key, Keys, mask
from workflows.specs.channels.urls import public_url, split
from workflows.specs.hosts import is_allowed

HOSTS = frozenset(prefix + host for host in ("discord.com", "discordapp.com") for prefix in ("", "ptb.", "canary."))
PATH = re.compile(r"/api(?:/v[0-9]{1,2})?/webhooks/(?P<id>[0-9]{1,20})/(?P<token>[A-Za-z0-9_-]{1,200})/?")
MAX_USERNAME = 80

_QUERY = frozenset({"thread_id", "wait"})
_SNOWFLAKE = re.compile(r"[0-9]{1,20}")
# https://discord.com/developers/docs/resources/user#usernames-and-nicknames
_USERNAME_MUST_NOT_HOLD = ("discord", "clyde", "```")
_USERNAME_MUST_NOT_BE = ("everyone", "here")


def keys(allowed_hosts: Sequence[str]) -> Keys:
    check_url = partial(webhook_url, allowed_hosts=allowed_hosts)
    return Keys(
        (
            Key("webhook_url", check_url, mask, code="invalid_url"),
            Key("thread_id", _thread, required=False),
            Key("username", _username, required=False),
            Key("avatar_url", partial(_avatar, allowed_hosts=allowed_hosts), required=False, code="invalid_url"),
        )
    )


def webhook_url(value: Any, allowed_hosts: Sequence[str]) -> str:
    """The URL in the one form that is stored. Raises `ValueError` that says what is wrong and repeats nothing of it."""
    url = split(value)
    if is_allowed(url.host, url.port, allowed_hosts):
        return url.text
    if url.host not in HOSTS:
        raise ValueError(
            "must be a Discord webhook: https on discord.com or discordapp.com (or their ptb. and canary. hosts);"
            " other hosts must be named in OUTBOUND_ALLOWED_HOSTS"
        )
    if url.scheme != "https" or url.port != 443:
        raise ValueError("must use https on its usual port")
    if not PATH.fullmatch(url.path):
        raise ValueError("must have the path of a Discord webhook: /api/webhooks/<id>/<token>")
    parameters = parse_qsl(url.query, keep_blank_values=True)
    if any(name not in _QUERY for name, _ in parameters):
        raise ValueError("may have no parameter but thread_id")
    thread = [(name, value) for name, value in parameters if name == "thread_id"]
    if any(not value.isdigit() for _, value in thread):
        raise ValueError("has a thread_id that is not a number")
    return f"https://{url.host}{url.path.rstrip('/')}{'?' if thread else ''}{urlencode(thread)}"


def _thread(value: Any) -> str:
    """As text: a snowflake is larger than what JavaScript's numbers hold."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _SNOWFLAKE.fullmatch(text):
        raise ValueError("must be the number of a thread: in Discord, Copy thread ID")
    return text


def _username(value: Any) -> str:
    name = value.strip() if isinstance(value, str) else ""
    if not 1 <= len(name) <= MAX_USERNAME or not name.isprintable():
        raise ValueError(f"must be text of 1 to {MAX_USERNAME} characters")
    plain = name.lower()
    if plain in _USERNAME_MUST_NOT_BE or any(part in plain for part in _USERNAME_MUST_NOT_HOLD):
        raise ValueError('must not hold "discord" or "clyde", nor be "everyone" or "here": Discord refuses it')
    return name


def _avatar(value: Any, allowed_hosts: Sequence[str]) -> str:
    return public_url(value, allowed_hosts).text
