"""Whatever the expression, the zone and the moment: due times go forward, and are the same from wherever one asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from workflows.specs.due_times import due_by, next_due
from workflows.specs.fields import Cron

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago"]
CRON = TypeAdapter(Cron)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    several = st.lists(number, min_size=1, max_size=3).map(lambda items: ",".join(map(str, items)))
    return st.one_of(st.just("*"), number.map(str), several, span, st.sampled_from(["*/2", "*/7", "*/15"]))


crons = st.tuples(field(0, 59), field(0, 23), st.one_of(st.just("*"), field(1, 28)), st.just("*"), field(0, 6)).map(
    " ".join
)
zones = st.sampled_from(ZONES)
# Around the changes of 2026 as well as anywhere.
CHANGES = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 8), (3, 29), (4, 4), (10, 25), (11, 1))]
moments = st.one_of(
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.builds(
        lambda change, seconds: change + timedelta(seconds=seconds), st.sampled_from(CHANGES), st.integers(0, 2 * 86400)
    ),
)


@given(crons, zones, moments)
def test_a_due_time_is_later_and_a_whole_minute(cron: str, zone: str, after: datetime) -> None:
    due = next_due(cron, zone, after)
    assert due is not None and due > after
    assert (due.second, due.microsecond) == (0, 0)


@given(crons, zones, moments, st.integers(0, 3 * 86400))
def test_between_a_moment_and_its_next_due_time_nothing_is_due(
    cron: str, zone: str, after: datetime, later_s: int
) -> None:
    due = next_due(cron, zone, after)
    assert due is not None
    between = after + timedelta(seconds=later_s)
    if between < due:
        assert next_due(cron, zone, between) == due


@given(crons, zones, moments, st.integers(0, 3 * 86400))
def test_what_is_due_by_a_moment_is_what_single_steps_come_to(
    cron: str, zone: str, start: datetime, later_s: int
) -> None:
    first = next_due(cron, zone, start)
    assert first is not None
    now = first + timedelta(seconds=min(later_s, 6 * 3600) if cron.startswith("*") else later_s)
    newest, steps = first, 0
    while (following := next_due(cron, zone, newest)) is not None and following <= now:
        newest, steps = following, steps + 1
    due = due_by(cron, zone, first, now)
    assert (due.newest, due.earlier) == (newest, steps)


@given(st.one_of(st.text(alphabet="0123456789*/,-#LW MONFRIJAN\t", max_size=60), st.text(max_size=60)))
def test_any_text_is_a_schedule_that_comes_due_or_is_refused(text: str) -> None:
    try:
        cron = CRON.validate_python(text)
    except ValidationError:
        return
    assert next_due(cron, "Europe/Berlin", datetime(2026, 1, 1, tzinfo=UTC)) is not None
