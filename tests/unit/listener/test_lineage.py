"""Slots that hang together, and those that show that something was swallowed."""

from __future__ import annotations

from collections.abc import Iterable

from listener.lineage import MOST_BREAKS, REMEMBERED_SLOTS, WHOLE_AGAIN_SLOTS, Lineage


def breaks(lineage: Lineage, slots: Iterable[tuple[int, int | None]]) -> list[int]:
    """The slots that break it; each is given with its parent."""
    return [slot for slot, parent in slots if lineage.is_broken_by(slot, parent)]


def test_a_parent_that_was_never_told_means_that_something_was_swallowed() -> None:
    assert breaks(Lineage(), [(10, 9), (11, 10), (14, 13)]) == [14]


def test_skipped_slots_are_nobodys_parents() -> None:
    assert breaks(Lineage(), [(10, 9), (14, 10), (15, 14)]) == []


def test_forks_are_told_from_where_they_leave() -> None:
    assert breaks(Lineage(), [(10, 9), (11, 10), (12, 10), (13, 11), (14, 12), (15, 8)]) == []


def test_slots_that_come_twice_or_out_of_order_behind_their_parents_are_whole() -> None:
    assert breaks(Lineage(), [(10, 9), (13, 10), (12, 10), (12, 10), (14, 12)]) == []


def test_a_feed_that_names_no_parents_is_not_judged() -> None:
    assert breaks(Lineage(), [(10, None), (20, None)]) == []


def test_a_new_socket_begins_anew() -> None:
    lineage = Lineage()
    breaks(lineage, [(10, 9)])

    lineage.begin()

    assert breaks(lineage, [(20, 19), (21, 20)]) == []


def test_a_fork_that_begins_where_nothing_is_remembered_any_more_is_no_break() -> None:
    lineage = Lineage()
    newest = 4 * REMEMBERED_SLOTS
    assert breaks(lineage, [(slot, slot - 1) for slot in range(newest)]) == []

    assert breaks(lineage, [(newest, 5)]) == []


def test_a_feed_that_breaks_again_and_again_is_not_believed_until_it_was_whole_for_a_while() -> None:
    lineage = Lineage()
    thinned = [(slot, slot - 1) for slot in range(10, 1000, 2)]
    assert len(breaks(lineage, thinned)) == MOST_BREAKS
    assert not lineage.is_believed

    assert breaks(lineage, [(slot, slot - 1) for slot in range(1000, 1000 + WHOLE_AGAIN_SLOTS + 1)]) == []
    assert breaks(lineage, [(2000, 1999)]) == [2000]
