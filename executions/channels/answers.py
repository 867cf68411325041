"""What an HTTP answer to a message means, for every channel that speaks HTTP. Pure.

2xx is delivered; what 429 says is for the channel to read first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from executions.channels.base import ChannelError, Pace, RateLimited
from executions.channels.texts import visible

WAIT_WITHOUT_A_WORD_S = 5.0
MAX_TOLD = 200
# 4xx that another attempt may find gone.
_PASSING = frozenset({408, 425})
# Said by what stands in front of the receiver, about an answer that it did not get: the receiver may have taken it.
_ANSWER_LOST_BEHIND = frozenset({502, 504, 520, 524})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names in `headers` are lower case; `body` is empty for a success, and cut at 64 KiB."""

    host: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


def failure(answer: Answer, told: str = "", *, gone: bool = False, pace: Pace | None = None) -> ChannelError:
    """The error for an answer that is neither 2xx nor 429; `told` is the receiver's explanation, free of secrets."""
    status = answer.status
    text = f"{answer.host} answered {status}"
    if 300 <= status < 400:
        text += ": redirects are not followed"
    elif told:
        text += f": {told}"
    return ChannelError(
        text,
        permanent=status < 500 and status not in _PASSING,
        retry_after_s=retry_after_s(answer.headers),
        maybe_delivered=status in _ANSWER_LOST_BEHIND,
        gone=gone,
        pace=pace,
    )


def too_many(
    answer: Answer, asked_s: float | None = None, *, whole_family: bool = False, pace: Pace | None = None
) -> RateLimited:
    """The error for a 429: what the channel read from it, else Retry-After, else a few seconds."""
    wait_s = retry_after_s(answer.headers) if asked_s is None else asked_s
    return RateLimited(
        f"{answer.host} answered 429: too many requests",
        retry_after_s=WAIT_WITHOUT_A_WORD_S if wait_s is None else wait_s,
        whole_family=whole_family,
        pace=pace,
    )


def told(text: Any, url: str) -> str:
    """The receiver's own explanation as it may be repeated: nothing where it holds a part of the secret URL."""
    if not isinstance(text, str):
        return ""
    parts = urlsplit(url)
    if any(part in text for part in re.split(r"[/?&=:]", f"{parts.path}?{parts.query}") if len(part) >= 6):
        return ""
    return visible(text)[:MAX_TOLD]


def json_of(body: bytes) -> Mapping[str, Any]:
    """The object in a body; empty for anything else."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def retry_after_s(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Retry-After in seconds, from either of its forms (RFC 9110, 10.2.3); None where there is none, or nonsense."""
    text = headers.get("retry-after", "")
    seconds = number(text)
    if seconds is not None:
        return seconds
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at.astimezone(UTC) - (now or datetime.now(UTC))).total_seconds())


def number(value: Any) -> float | None:
    """A finite number of seconds, not negative, from JSON or a header; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
