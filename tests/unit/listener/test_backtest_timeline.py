"""The hourly rate and the daily limits of a backtest, on its own time line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from listener.backtest.timeline import Bounds, Timeline

START = datetime(2026, 1, 1, tzinfo=UTC)
MINT = "So11111111111111111111111111111111111111112"


def timeline(**bounds: Any) -> Timeline:
    unlimited: dict[str, Any] = {
        "max_executions_per_hour": 1000,
        "max_lamports_per_day": None,
        "max_tokens_per_day": {},
        "signer_max_lamports_per_day": None,
    }
    return Timeline(Bounds(**{**unlimited, **bounds}))


def after(**time: float) -> datetime:
    return START + timedelta(**time)


def test_the_rate_rolls_over_the_hour_before() -> None:
    line = timeline(max_executions_per_hour=2)
    assert line.take_rate(after()) is None
    assert line.take_rate(after(minutes=30)) is None
    refused = line.take_rate(after(minutes=59))
    assert refused is not None
    assert (refused.code, refused.limit) == ("rate_limited", "max_executions_per_hour")
    assert line.take_rate(after(minutes=60)) is None
    assert line.take_rate(after(minutes=61)) is not None


def test_a_unit_that_is_returned_can_be_taken_again() -> None:
    line = timeline(max_executions_per_hour=1)
    assert line.take_rate(after()) is None
    line.return_rate()
    assert line.take_rate(after(minutes=1)) is None


def test_a_day_rolls_and_names_whose_limit_it_is() -> None:
    line = timeline(max_lamports_per_day=100, signer_max_lamports_per_day=90)
    assert line.day_refusals(after(), 60, {}) == []
    line.spend(after(), 60, {})
    found = line.day_refusals(after(hours=23), 41, {})
    assert [one.limit for one in found] == ["max_lamports_per_day", "max_lamports_per_day of the signer"]
    assert [one.limit for one in line.day_refusals(after(hours=23), 40, {})] == ["max_lamports_per_day of the signer"]
    assert line.day_refusals(after(hours=24), 90, {}) == []


def test_tokens_have_days_of_their_own() -> None:
    line = timeline(max_tokens_per_day={MINT: "10"})
    line.spend(after(), 0, {MINT: 7, "another": 100})
    (found,) = line.day_refusals(after(hours=1), 0, {MINT: 4, "another": 100})
    assert (found.code, found.limit) == ("daily_limit_exceeded", "max_tokens_per_day")
    assert line.day_refusals(after(hours=24), 0, {MINT: 10}) == []


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 50)), max_size=60))
def test_no_24_hours_ever_hold_more_than_the_limit(steps: list[tuple[int, int]]) -> None:
    line, at, spent = timeline(max_lamports_per_day=100), START, []
    for seconds, lamports in steps:
        at += timedelta(seconds=10 * seconds)
        if not line.day_refusals(at, lamports, {}):
            line.spend(at, lamports, {})
            spent.append((at, lamports))
    for end, _ in spent:
        assert sum(lamports for time, lamports in spent if end - timedelta(hours=24) < time <= end) <= 100
