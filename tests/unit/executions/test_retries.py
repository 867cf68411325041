"""When a delivery is tried again."""

from __future__ import annotations

import pytest

from executions.channels.base import ChannelError, RateLimited
from executions.retries import JITTER, LADDER_S, LONGEST_WAIT_S, next_attempt


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def test_a_failure_climbs_the_ladder_and_then_is_dead() -> None:
    waits = [next_attempt(ChannelError("500"), attempt, uniform=middle) for attempt in range(1, 9)]
    assert waits == [2, 10, 30, 120, 600, 3600, 21600, None]


@pytest.mark.parametrize("attempt", range(1, len(LADDER_S) + 1))
def test_jitter_stays_near_the_step(attempt: int) -> None:
    for _ in range(50):
        wait = next_attempt(ChannelError("500"), attempt)
        assert wait is not None
        assert LADDER_S[attempt - 1] * (1 - JITTER) <= wait <= LADDER_S[attempt - 1] * (1 + JITTER)


@pytest.mark.parametrize("attempt", [1, 8, 9, 500])
def test_too_many_requests_is_no_attempt_and_waits_as_asked(attempt: int) -> None:
    assert next_attempt(RateLimited("429", retry_after_s=64.57), attempt) == 64.57


def test_what_the_receiver_asks_for_is_not_scaled_but_the_ladder_is() -> None:
    assert next_attempt(RateLimited("429", retry_after_s=1.5), 1, scale=0.01) == 1.5
    assert next_attempt(ChannelError("500"), 1, scale=0.01, uniform=middle) == pytest.approx(0.02)


def test_a_longer_wait_than_the_step_is_obeyed_after_any_failure() -> None:
    assert next_attempt(ChannelError("503", retry_after_s=100), 1, uniform=middle) == 100
    assert next_attempt(ChannelError("503", retry_after_s=1), 1, uniform=middle) == 2


def test_nobody_is_obeyed_for_longer_than_the_longest_step_and_nobody_makes_a_busy_loop() -> None:
    assert next_attempt(RateLimited("429", retry_after_s=1e12), 1) == LONGEST_WAIT_S
    assert next_attempt(RateLimited("429", retry_after_s=0), 1) == pytest.approx(0.2)
    assert next_attempt(RateLimited("429", retry_after_s=-5), 1) == pytest.approx(0.2)


def test_what_cannot_help_is_not_tried_again() -> None:
    assert next_attempt(ChannelError("404", permanent=True), 1) is None
    assert next_attempt(ChannelError("404", permanent=True, retry_after_s=5), 1) is None
