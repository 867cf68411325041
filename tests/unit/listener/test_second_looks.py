"""Which accounts are read once more."""

from __future__ import annotations

from listener.second_looks import SecondLooks


def test_an_account_is_due_when_it_has_been_quiet_for_a_while_and_once() -> None:
    looks = SecondLooks(32)
    looks.told((1, "A"), 100)
    looks.told((1, "A"), 110)

    assert looks.due(lambda _: 141) == []
    assert looks.due(lambda _: 142) == [((1, "A"), 111)]
    assert looks.due(lambda _: 500) == []


def test_what_is_not_seen_at_the_moment_waits_and_what_nobody_wants_is_forgotten() -> None:
    looks = SecondLooks(32)
    looks.told((1, "A"), 100)
    looks.told((2, "B"), 100)
    looks.forget(2)

    assert looks.due(lambda _: None) == []
    assert looks.due(lambda _: 200) == [((1, "A"), 101)]
