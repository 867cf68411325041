"""The stretch of time that a list shows, from what people choose. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

DATES = "dates"
LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(hours=24), "week": timedelta(days=7)}
CHOICES = {"": "Any time", "hour": "Last hour", "day": "Last 24 hours", "week": "Last 7 days", DATES: "Between dates"}


class Period(NamedTuple):
    """From `after` on, and before `before`; None is no bound."""

    after: datetime | None = None
    before: datetime | None = None


def period(choice: str, first: str, last: str, now: datetime) -> Period:
    """What one of CHOICES means at `now`; `first` and `last` are the days of DATES, in UTC, both included.

    A day left out is no bound.

    Raises:
        ValueError: no such choice, or not a date.
    """
    if choice not in CHOICES:
        raise ValueError(f"the range must be one of {', '.join(filter(None, CHOICES))}")
    if choice == DATES:
        end = _midnight(last)
        return Period(_midnight(first), end + timedelta(days=1) if end else None)
    length = LENGTHS.get(choice)
    return Period(now - length if length else None)


def _midnight(day: str) -> datetime | None:
    if not day:
        return None
    parsed = date.fromisoformat(day)
    if not date.min < parsed < date.max:
        raise ValueError("no history reaches so far")
    return datetime.combine(parsed, time(tzinfo=UTC))
