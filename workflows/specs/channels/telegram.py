"""The config of a Telegram channel: a bot's token and the chat that it writes to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from workflows.specs.channels.config import Key, Keys
from workflows.specs.channels.urls import public_url

API_URL = "https://api.telegram.org"

_TOKEN = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,100}")
_CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31}")


def keys(allowed_hosts: Sequence[str]) -> Keys:
    return Keys(
        (
            Key("bot_token", _token, _masked),
            Key("chat_id", _chat),
            Key("thread_id", _thread, required=False),
            Key("api_url", partial(_api_url, allowed_hosts=allowed_hosts), required=False, code="invalid_url"),
        ),
        leads="api_url",
    )


def _token(value: Any) -> str:
    if not isinstance(value, str) or not _TOKEN.fullmatch(value.strip()):
        raise ValueError("must be a bot's token as @BotFather gives it: a number, a colon and 35 characters")
    return value.strip()


def _masked(token: str) -> str:
    return f"api.telegram.org/…{token[-4:]}"


def _chat(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _CHAT.fullmatch(text.strip()):
        raise ValueError("must be the number of a chat (groups begin with -), or a public channel's @name")
    return text.strip()


def _thread(value: Any) -> int:
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value.strip()) else value
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**31:
        raise ValueError("must be the number of a topic in the group")
    return number


def _api_url(value: Any, allowed_hosts: Sequence[str]) -> str:
    """A Bot API server of one's own (https://github.com/tdlib/telegram-bot-api)."""
    url = public_url(value, allowed_hosts)
    if url.query:
        raise ValueError("must have no query")
    return url.text.rstrip("/")
