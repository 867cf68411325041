"""When a schedule comes due: cron in a time zone, in both directions of a daylight saving change. Pure.

What the clock of the zone shows decides, as with Debian's cron. A time that the clock leaps over in spring is due at
the leap; one that it shows twice in autumn is due the first time. Expressions whose minute or hour begins with `*`
follow real time instead: every quarter of an hour is every quarter of an hour, whatever the clock shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

# Missed times are counted one by one, 70,000 a second; from here on "at least so many" is all that is said.
MAX_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Due:
    """What is due by now: the newest due time, and how many there were before it (at least, from MAX_COUNTED on)."""

    newest: datetime
    earlier: int


def next_due(cron: str, timezone: str, after: datetime) -> datetime | None:
    """The first due time later than `after`, in UTC; None where none comes within 50 years."""
    return next(_due_times(cron, timezone, after), None)


def due_by(cron: str, timezone: str, first: datetime, now: datetime) -> Due:
    """All that is due from `first`, itself a due time, up to `now`."""
    newest, earlier = first, 0
    for due in _up_to(now, cron, timezone, first):
        newest, earlier = due, earlier + 1
        if earlier == MAX_COUNTED:
            return Due(_newest(cron, timezone, newest, now), earlier)
    return Due(newest, earlier)


def _newest(cron: str, timezone: str, known: datetime, now: datetime) -> datetime:
    """The last due time from `known`, itself one, up to `now`: sought backwards in windows that double."""
    window = timedelta(minutes=1)
    while (start := now - window) > known:
        if found := list(_up_to(now, cron, timezone, start)):
            return found[-1]
        window *= 2
    return max(_up_to(now, cron, timezone, known), default=known)


def _up_to(now: datetime, cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    return takewhile(lambda due: due <= now, _due_times(cron, timezone, after))


def _due_times(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    last = after.astimezone(UTC)
    zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
    for shown in CronSim(cron, after.astimezone(zone)):
        due = shown.astimezone(UTC)
        # Begun in the second of two equal hours, CronSim gives the first one's times, which are over.
        if due > last:
            last = due
            yield due
