"""When messages are told at once and when together. Times are seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from executions.gathering import Calm, cooled, window_end

START = datetime(2026, 11, 23, tzinfo=UTC)
LENGTH = timedelta(seconds=60)


def story(*seconds: float) -> list[str]:
    """For messages at these seconds: "now", or the second at which each is told."""
    calm: Calm | None = None
    said = []
    for second in seconds:
        calm, at_once = cooled(calm, START + timedelta(seconds=second), LENGTH)
        said.append("now" if at_once else f"{(calm.until - START).total_seconds():g}")
    return said


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ([0], ["now"]),
        ([0, 10, 59], ["now", "60", "60"]),
        ([0, 61], ["now", "now"]),
        # The message at 60 begins a cooldown too, as there was something to tell in it.
        ([0, 10, 61, 70], ["now", "60", "120", "120"]),
        ([0, 10, 125], ["now", "60", "now"]),
        ([0, 10, 61, 130, 200, 300], ["now", "60", "120", "180", "240", "now"]),
    ],
)
def test_no_two_messages_are_told_closer_than_the_cooldown(seconds: list[float], told: list[str]) -> None:
    assert story(*seconds) == told


def test_a_window_ends_within_its_length_and_is_the_same_for_all_in_it(settings: object) -> None:
    ends = {window_end(START + timedelta(seconds=second), 300) for second in range(300)}
    assert ends == {START + timedelta(seconds=300)}
    assert window_end(START + timedelta(seconds=300), 300) == START + timedelta(seconds=600)
