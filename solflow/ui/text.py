"""Numbers, amounts, addresses and times as people read them, and hostile text made harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

LAMPORTS_PER_SOL = 1_000_000_000
_SHOWN_ITEMS = 3
_LONG_WORD = 32
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def plain(value: object) -> str:
    """Text without control, bidirectional and other invisible format characters; line breaks become spaces.

    Memos, token names and log lines are written by strangers: a right-to-left override can make one address read as
    another.
    """
    spaced = str(value).translate({ord(c): " " for c in "\n\t\r"})
    return "".join(c for c in spaced if unicodedata.category(c) not in {"Cc", "Cf"})


def short(value: object, ends: int = 4) -> str:
    """An address or signature by its first and last `ends` characters; shorter text stays whole."""
    text = plain(value)
    return text if len(text) <= 2 * ends + 1 else f"{text[:ends]}…{text[-ends:]}"


def grouped(value: int | str | None) -> str:
    """An integer with thousands separated by commas; an en dash for nothing."""
    return "–" if value is None or value == "" else f"{int(value):,}"


def sol(lamports: int | str | None) -> str:
    """Lamports as SOL, exactly, without trailing zeros: 1500000 is `0.0015`. Never through a float."""
    if lamports is None or lamports == "":
        return "–"
    amount = Decimal(int(lamports)) / LAMPORTS_PER_SOL
    whole, _, fraction = f"{amount:,.9f}".partition(".")
    return f"{whole}.{fraction.rstrip('0')}" if fraction.rstrip("0") else whole


def words(value: object) -> str:
    """Any JSON value in a few words: grouped digits, the ends of long addresses, the first items of a list."""
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "nothing"}[value]
    if isinstance(value, int):
        return grouped(value)
    if isinstance(value, list):
        more = len(value) - _SHOWN_ITEMS
        return ", ".join(words(item) for item in value[:_SHOWN_ITEMS]) + (f" and {more} more" if more > 0 else "")
    if isinstance(value, Mapping):
        return ", ".join(f"{plain(key).replace('_', ' ')} {words(item)}" for key, item in value.items())
    text = plain(value)
    return short(text, 8) if len(text) >= _LONG_WORD and text.isalnum() else text


def duration(ms: float | None) -> str:
    """A duration given in milliseconds, to three significant places: `9 ms`, `0.98 s`, `4 min 5 s`, `2 h 3 min`."""
    if ms is None:
        return "–"
    if ms < 1000:
        return f"{round(ms)} ms"
    if ms < 60_000:
        return f"{ms / 1000:.2f} s"
    seconds = round(ms / 1000)
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def elapsed_ms(start: datetime | None, end: datetime | None) -> float | None:
    """Milliseconds from `start` to `end`; None while either is unknown."""
    return (end - start).total_seconds() * 1000 if start and end else None


def initials(actor: str) -> str:
    """Two letters for an avatar: `AD` for `user:admin`, `WO` for `system:worker`."""
    return plain(actor).rpartition(":")[2][:2].upper()


def instant(value: datetime | str) -> datetime:
    """A datetime, or ISO 8601 text as steps keep it, as UTC; text without an offset is taken as UTC."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def full_utc(value: datetime | str) -> str:
    """`22 Nov 2026, 14:10:11.042 UTC`."""
    at = instant(value)
    return f"{day_utc(at)}, {at:%H:%M:%S}.{at.microsecond // 1000:03d} UTC"


def day_utc(value: datetime | str) -> str:
    """`22 Nov 2026`, with English month names whatever the process's locale."""
    at = instant(value)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def age(value: datetime | str, now: datetime) -> str:
    """How long ago, in the words that static/app.js keeps counting with; the future reads `now`."""
    seconds = int((now - instant(value)).total_seconds())
    if seconds < 5:
        return "now"
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600} h ago"
    days = seconds // 86_400
    return f"{days} day{'' if days == 1 else 's'} ago"
