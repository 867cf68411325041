"""What of an inbound request becomes its event. Pure.

A body is whatever a stranger's program wrote: what is no JSON that can be stored and filtered exactly is text.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from chain.events import JSON_INTEGER_MAX, JSON_INTEGER_MIN

MAX_DEPTH = 32
MAX_MESSAGE_ID = 256

# Named one by one: any other header may be a credential.
_SAFE = frozenset(
    {
        "accept",
        "content-type",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
        "x-request-id",
    }
)
# What senders call the kind of their message: x-github-event, x-shopify-topic.
_SAFE_PATTERN = re.compile(r"x-[a-z0-9-]{1,60}-(event|event-type|topic|delivery)|x-event-(type|id)|x-event")
_MAX_HEADER = 1_000
_MAX_NUMERAL = 40
_UNSTORABLE = re.compile("[\ud800-\udfff]")


class _Unreadable(ValueError):
    """JSON that we cannot hold exactly."""


def message_id(headers: Mapping[str, str], raw: bytes) -> str | None:
    """The sender's id of the message, else the SHA-256 of its body; None for an id that is none.

    The same id is the same message, so what a sender repeats runs once.
    """
    given = headers.get("webhook-id")
    if given is None:
        return hashlib.sha256(raw).hexdigest()
    usable = 0 < len(given) <= MAX_MESSAGE_ID and given.isascii() and given.isprintable()
    return given if usable else None


def safe_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that tell what the message is, under lower-case names, without anything that proves who sent it."""
    return {
        name: _clean(value[:_MAX_HEADER])
        for name, value in sorted(headers.items())
        if name in _SAFE or _SAFE_PATTERN.fullmatch(name)
    }


def parsed_body(raw: bytes) -> Any:
    """The JSON value, its larger integers than 64 bits as text; any other body as text; null for none."""
    if not raw:
        return None
    try:
        return _storable(
            json.loads(raw.decode(), parse_int=_integer, parse_float=_float, parse_constant=_constant), depth=0
        )
    except (ValueError, RecursionError):
        return _clean(raw.decode(errors="replace"))


def _storable(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict | list) and depth == MAX_DEPTH:
        raise _Unreadable("nested too deep")
    if isinstance(value, dict):
        return {_clean(key): _storable(inner, depth + 1) for key, inner in value.items()}
    return [_storable(inner, depth + 1) for inner in value] if isinstance(value, list) else value


def _integer(numeral: str) -> int | str:
    if len(numeral) > _MAX_NUMERAL:
        return numeral
    value = int(numeral)
    return value if JSON_INTEGER_MIN <= value <= JSON_INTEGER_MAX else numeral


def _float(numeral: str) -> float | str:
    value = float(numeral)
    return value if math.isfinite(value) else numeral


def _constant(name: str) -> Any:
    raise _Unreadable(f"{name} is not JSON")


def _clean(text: str) -> str:
    """Without halves of surrogate pairs, which are no text; NUL characters are replaced where events are stored."""
    return _UNSTORABLE.sub("\ufffd", text)
