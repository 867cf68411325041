"""What an HTTP answer to a message means, for every channel that speaks HTTP. Pure.

2xx is delivered and 429 is for the channel to read; everything else is here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from executions.channels.base import ChannelError, Pace

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
