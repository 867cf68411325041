"""A sample against the recorded state."""

from __future__ import annotations

import pytest

from chain.types import AccountSample
from listener.observations import Sample
from listener.transitions import Verdict, contradicts, judge, unseen

RECORDED = AccountSample.of(100, 5, "owner", b"data")


@pytest.mark.parametrize(
    ("sample", "balance", "account"),
    [
        (AccountSample.of(101, 6, "owner", b"data"), Verdict.MOVED, Verdict.MOVED),
        (AccountSample.of(101, 5, "owner", b"other"), Verdict.SAME, Verdict.MOVED),
        (AccountSample.of(101, 5, "other", b"data"), Verdict.SAME, Verdict.MOVED),
        (AccountSample.of(101, 5, "owner", b"data"), Verdict.SAME, Verdict.SAME),
        (AccountSample.of(100, 6, "owner", b"data"), Verdict.OLD, Verdict.OLD),
        (AccountSample.of(99, 6, "owner", b"data"), Verdict.OLD, Verdict.OLD),
        (AccountSample.of(99, 5, "owner", b"data"), Verdict.SAME, Verdict.SAME),
    ],
)
def test_only_a_newer_slot_with_another_value_moves(sample: AccountSample, balance: Verdict, account: Verdict) -> None:
    assert judge(True, RECORDED, sample) is balance
    assert judge(False, RECORDED, sample) is account


def past(*balances: tuple[int, int]) -> list[Sample]:
    return [Sample(1, "A", AccountSample(slot, lamports), 0.0, live=False) for slot, lamports in balances]


def seen(samples: list[Sample]) -> list[tuple[int, int]]:
    return [(one.sample.slot, one.sample.lamports) for one in samples]


def test_a_change_before_the_recorded_slot_is_new_where_the_record_bears_a_later_banks_slot() -> None:
    """7 was told as of slot 12 and happened in 10; what happened in 11 and 12 was then refused as old."""
    found = unseen(AccountSample(12, 7), past((8, 4), (9, 5), (10, 7), (11, 8), (12, 9), (20, 9)))

    assert seen(found) == [(13, 8), (14, 9), (20, 9)]


def test_what_happened_after_the_recorded_slot_keeps_its_own() -> None:
    assert seen(unseen(AccountSample(12, 7), past((12, 7), (15, 8), (16, 6)))) == [(15, 8), (16, 6)]


def test_a_history_that_ends_before_the_record_has_nothing_new() -> None:
    """The record went on live meanwhile, back to a balance that it had had before."""
    samples = past((5, 1), (6, 7), (7, 8))
    recorded = AccountSample(8, 7)

    assert all(judge(True, recorded, one.sample) is not Verdict.MOVED for one in unseen(recorded, samples))


def test_without_the_recorded_balance_in_it_the_slots_tell() -> None:
    samples = past((8, 4), (9, 5), (13, 8))

    assert unseen(AccountSample(12, 7), samples) == samples[1:]


def test_a_change_that_was_told_under_an_earlier_slot_than_its_own_is_found_after_it() -> None:
    """7 was told as of slot 9 and happened in 11; what came before it is over."""
    assert seen(unseen(AccountSample(9, 7), past((9, 5), (10, 6), (11, 7), (12, 8)))) == [(12, 8)]


def test_a_balance_that_went_and_came_back_since_an_old_record_is_two_changes() -> None:
    assert seen(unseen(AccountSample(50, 7), past((59, 7), (60, 1), (70, 7)))) == [(60, 1), (70, 7)]


def test_a_balance_that_comes_again_is_taken_for_the_last_time_that_it_was_so() -> None:
    assert seen(unseen(AccountSample(12, 7), past((8, 7), (9, 1), (10, 7), (14, 2)))) == [(14, 2)]


@pytest.mark.parametrize(
    ("told", "is_odd"),
    [
        ([(9, 5), (12, 7)], False),
        ([(13, 8)], False),
        ([(13, 7)], False),
        ([(13, 5)], True),
        ([(11, 9)], True),
    ],
    ids=["as it was", "newer", "the same later", "an older one later", "one that never was"],
)
def test_what_was_told_while_a_history_was_read_fits_into_it(told: list[tuple[int, int]], is_odd: bool) -> None:
    assert contradicts(past((8, 4), (9, 5), (10, 7), (12, 7)), past(*told)) is is_odd
