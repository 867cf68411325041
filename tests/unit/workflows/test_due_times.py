"""When schedules come due, over daylight saving changes in both directions, and what is due after a time without us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workflows.specs.due_times import MAX_COUNTED, Due, due_by, next_due

BERLIN = "Europe/Berlin"  # 2026: 29 March 02:00 -> 03:00 (01:00 UTC), 25 October 03:00 -> 02:00 (01:00 UTC)
NEW_YORK = "America/New_York"  # 2026: 8 March 02:00 -> 03:00 (07:00 UTC), 1 November 02:00 -> 01:00 (06:00 UTC)
LORD_HOWE = "Australia/Lord_Howe"  # by half an hour; 2026: 5 April 02:00 -> 01:30 (4 April 15:00 UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(cron: str, zone: str, after: str, count: int) -> list[str]:
    """The next `count` due times as UTC without seconds."""
    found, at = [], utc(after)
    for _ in range(count):
        due = next_due(cron, zone, at)
        assert due is not None
        at = due
        found.append(f"{due:%m-%d %H:%M}")
    return found


def test_a_time_of_day_moves_in_utc_with_the_zones_clock() -> None:
    assert times("0 9 * * *", BERLIN, "2026-03-27T12:00", 3) == ["03-28 08:00", "03-29 07:00", "03-30 07:00"]
    assert times("0 9 * * *", BERLIN, "2026-10-23T12:00", 3) == ["10-24 07:00", "10-25 08:00", "10-26 08:00"]


def test_a_time_that_the_clock_leaps_over_is_due_at_the_leap() -> None:
    assert times("30 2 * * *", BERLIN, "2026-03-28T00:00", 3) == ["03-28 01:30", "03-29 01:00", "03-30 00:30"]
    assert times("30 2 * * *", NEW_YORK, "2026-03-08T00:00", 2) == ["03-08 07:00", "03-09 06:30"]


def test_two_times_that_the_clock_leaps_over_are_due_once() -> None:
    assert times("0,30 2 * * *", BERLIN, "2026-03-28T12:00", 2) == ["03-29 01:00", "03-30 00:00"]


def test_a_time_that_the_clock_shows_twice_is_due_the_first_time_only() -> None:
    assert times("30 2 * * *", BERLIN, "2026-10-24T12:00", 2) == ["10-25 00:30", "10-26 01:30"]
    assert times("30 1 * * *", NEW_YORK, "2026-11-01T00:00", 2) == ["11-01 05:30", "11-02 06:30"]


@pytest.mark.parametrize("after", ["2026-10-25T00:30", "2026-10-25T00:45", "2026-10-25T01:15", "2026-10-25T01:45"])
def test_what_was_due_before_the_clock_was_set_back_is_not_due_again(after: str) -> None:
    """01:15 UTC is the second 02:15 in Berlin: 02:30 comes once more, and was due an hour before."""
    assert times("30 2 * * *", BERLIN, after, 1) == ["10-26 01:30"]


def test_an_expression_of_every_so_many_minutes_follows_real_time() -> None:
    assert times("*/30 * * * *", BERLIN, "2026-03-29T00:30", 3) == ["03-29 01:00", "03-29 01:30", "03-29 02:00"]
    assert times("*/30 * * * *", BERLIN, "2026-10-25T00:00", 4) == [
        "10-25 00:30",
        "10-25 01:00",
        "10-25 01:30",
        "10-25 02:00",
    ]
    assert times("0 * * * *", NEW_YORK, "2026-11-01T04:30", 3) == ["11-01 05:00", "11-01 06:00", "11-01 07:00"]


def test_a_change_by_half_an_hour_is_followed() -> None:
    assert times("45 1 * * *", LORD_HOWE, "2026-04-03T15:00", 2) == ["04-04 14:45", "04-05 15:15"]
    assert times("0 12 * * *", LORD_HOWE, "2026-04-03T12:00", 2) == ["04-04 01:00", "04-05 01:30"]


def test_a_due_time_is_later_than_what_it_is_asked_from() -> None:
    assert next_due("0 9 * * *", "UTC", utc("2026-01-01T09:00:00")) == utc("2026-01-02T09:00")
    assert next_due("0 9 * * *", "UTC", utc("2026-01-01T08:59:59.999999")) == utc("2026-01-01T09:00")
    assert next_due("0 9 * * *", "UTC", utc("2026-01-01T09:00:00.000001")) == utc("2026-01-02T09:00")


def test_names_lists_steps_and_last_days_are_understood() -> None:
    assert times("*/20 8-9 * * MON-FRI", "UTC", "2026-01-02T09:30", 3) == ["01-02 09:40", "01-05 08:00", "01-05 08:20"]
    assert times("0 0 L * *", "UTC", "2026-02-01T00:00", 2) == ["02-28 00:00", "03-31 00:00"]


def test_a_leap_day_is_waited_for() -> None:
    assert next_due("0 0 29 2 *", "UTC", utc("2026-01-01T00:00")) == utc("2028-02-29T00:00")


def test_what_is_due_by_now_is_the_newest_time_and_the_number_of_those_before_it() -> None:
    first = utc("2026-01-01T09:00")
    assert due_by("0 * * * *", "UTC", first, utc("2026-01-01T09:00")) == Due(first, 0)
    assert due_by("0 * * * *", "UTC", first, utc("2026-01-01T09:59:59")) == Due(first, 0)
    assert due_by("0 * * * *", "UTC", first, utc("2026-01-01T12:00:01")) == Due(utc("2026-01-01T12:00"), 3)


def test_missed_times_over_the_change_are_counted_as_the_clock_showed_them() -> None:
    spring = due_by("30 2 * * *", BERLIN, utc("2026-03-28T01:30"), utc("2026-03-30T12:00"))
    assert spring == Due(utc("2026-03-30T00:30"), 2)
    autumn = due_by("30 2 * * *", BERLIN, utc("2026-10-24T00:30"), utc("2026-10-25T12:00"))
    assert autumn == Due(utc("2026-10-25T00:30"), 1)


@pytest.mark.parametrize("cron", ["* * * * *", "* 9 * * *", "*/7 3,4 1,15 * *"])
def test_after_years_without_us_the_newest_time_is_right_and_the_count_stops(cron: str) -> None:
    now = utc("2026-06-01T20:00:30")
    first = next_due(cron, BERLIN, now - timedelta(days=12 * 365))
    last = next_due(cron, BERLIN, now)
    assert first is not None and last is not None
    due = due_by(cron, BERLIN, first, now)
    assert due.earlier <= MAX_COUNTED
    assert due.newest <= now
    assert next_due(cron, BERLIN, due.newest) == last
