"""A sample against the recorded state."""

from __future__ import annotations

import pytest

from chain.types import AccountSample
from listener.transitions import Verdict, judge

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
