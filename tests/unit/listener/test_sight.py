"""Who sees a subscription, what was told a moment ago, and how long to wait."""

from __future__ import annotations

from typing import Any, cast

from chain.errors import NodeBehind, Unavailable
from listener.connection import Connection
from listener.recent import Recent
from listener.sight import Sight
from listener.waits import LEAST_WAIT_S, MOST_WAIT_S, after, waits


def socket() -> Connection:
    return Connection(["ws://127.0.0.1:1"], cast(Any, None))


def test_a_subscription_is_lost_when_nobody_sees_it_any_more() -> None:
    sight, one, other = Sight(), socket(), socket()
    assert sight.begin(7, one)
    assert not sight.begin(7, other)

    assert sight.end(one, [7]) == []
    assert sight.of(7) is other
    assert sight.end(other, [7, 8]) == [7]
    assert sight.of(7) is None


def test_a_socket_that_never_saw_it_takes_nothing_away() -> None:
    sight, one, other = Sight(), socket(), socket()
    sight.begin(7, one)

    assert sight.end(other, [7]) == []
    assert list(sight) == [(7, one)]


def test_only_the_newest_are_remembered() -> None:
    recent = Recent(2)

    assert [recent.add(key) for key in ("a", "b", "a", "c", "a")] == [True, True, False, True, True]
    assert "b" not in recent


def test_an_endpoint_is_not_asked_sooner_than_it_wants_within_reason() -> None:
    assert after(Unavailable("busy", retry_after_s=7.0), waits()) == 7.0
    assert after(Unavailable("busy", retry_after_s=86_400), waits()) == MOST_WAIT_S
    assert LEAST_WAIT_S <= after(NodeBehind("late"), waits()) < 7.0
