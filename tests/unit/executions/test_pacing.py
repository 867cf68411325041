"""The rolling window of one destination."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from executions.channels.base import Pace
from executions.pacing import Window

LIMIT, PERIOD_S, LONGEST_S = 3, 60.0, 15.0


def filled(now: float, count: int) -> Window:
    window = Window()
    for number in range(count):
        window = window.taken(now, str(number), period_s=PERIOD_S, longest_s=LONGEST_S)
    return window


def test_below_the_limit_nobody_waits() -> None:
    assert filled(100.0, LIMIT - 1).wait_s(100.0, LIMIT) == 0


def test_a_slot_is_free_a_period_after_its_answer_not_after_its_permission() -> None:
    window = filled(100.0, LIMIT)
    for name in ("0", "1", "2"):
        window = window.settled(109.0, name, Pace(), period_s=PERIOD_S)
    assert window.wait_s(161.0, LIMIT) == 8.0
    assert window.wait_s(169.0, LIMIT) == 0


def test_a_slot_of_a_sender_that_died_is_free_a_period_after_it_must_have_ended() -> None:
    window = filled(100.0, LIMIT)
    assert window.wait_s(174.9, LIMIT) > 0
    assert window.wait_s(175.0, LIMIT) == 0


def test_what_the_receiver_has_left_is_counted_down_until_it_resets() -> None:
    window = filled(100.0, 1).settled(101.0, "0", Pace(remaining=1, reset_after_s=5.0), period_s=PERIOD_S)
    assert window.wait_s(102.0, LIMIT) == 0
    window = window.taken(102.0, "next", period_s=PERIOD_S, longest_s=LONGEST_S)
    assert window.wait_s(102.0, LIMIT) == 4.0
    assert window.wait_s(106.0, LIMIT) == 0


def test_an_answer_that_was_overtaken_does_not_raise_what_is_left() -> None:
    window = filled(100.0, 2).settled(101.0, "1", Pace(remaining=0, reset_after_s=5.0), period_s=PERIOD_S)
    window = window.settled(101.1, "0", Pace(remaining=1, reset_after_s=4.9), period_s=PERIOD_S)
    assert window.wait_s(102.0, LIMIT) > 0


def test_the_receivers_word_to_wait_holds_and_a_shorter_one_does_not_shorten_it() -> None:
    window = Window().held(200.0).held(150.0)
    assert window.wait_s(100.0, LIMIT) == 100.0
    assert window.wait_s(200.0, LIMIT) == 0


def test_a_window_survives_its_json() -> None:
    window = filled(100.0, 2).settled(101.0, "0", Pace(remaining=4, reset_after_s=2.0), period_s=PERIOD_S).held(130.0)
    assert Window.from_json(window.as_json()) == window
    assert Window.from_json({}) == Window()


@given(
    st.lists(
        st.tuples(
            st.floats(0, 20, allow_subnormal=False),  # when this one asks, after the one before
            st.floats(0, LONGEST_S, allow_subnormal=False),  # how long it is on its way
            st.floats(0, 1),  # when in that time it arrives
            st.booleans(),  # whether its sender lives to record the answer
        ),
        max_size=60,
    )
)
def test_no_period_of_the_receiver_has_more_than_the_limit(messages: list[tuple[float, float, float, bool]]) -> None:
    window, now = Window(), 1000.0
    arrivals: list[float] = []
    on_the_way: list[tuple[float, str]] = []
    for number, (gap, duration, share, lives) in enumerate(messages):
        now += gap
        for ended, name in sorted(on_the_way):
            if ended <= now:
                window = window.settled(ended, name, Pace(), period_s=PERIOD_S)
                on_the_way.remove((ended, name))
        if window.wait_s(now, LIMIT) > 0:
            continue
        window = window.taken(now, str(number), period_s=PERIOD_S, longest_s=LONGEST_S)
        arrivals.append(now + duration * share)
        if lives:
            on_the_way.append((now + duration, str(number)))
    arrivals.sort()
    for first, last in zip(arrivals, arrivals[LIMIT:], strict=False):
        assert last - first >= PERIOD_S - 1e-6
