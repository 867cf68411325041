"""Pure: what a sample says against the recorded state of an account. A transition is an event, a sample is not."""

from __future__ import annotations

from enum import Enum

import msgspec

from chain.types import AccountSample


class Verdict(Enum):
    """A sample against a row: too old for it, nothing new, or it moves it."""

    OLD = "old"
    SAME = "same"
    MOVED = "moved"


class Transition(msgspec.Struct, frozen=True, gc=False):
    """A row went from `previous` to `current`, whose slot is that of the recorded transition."""

    subscription_id: int
    address: str
    previous: AccountSample
    current: AccountSample
    catch_up: bool
    seen_at_s: float


def judge(watches_balance: bool, recorded: AccountSample, sample: AccountSample) -> Verdict:
    """Only a newer slot moves the record: the states that two banks of one slot show cannot be put in order."""
    if watches_balance:
        is_same = recorded.lamports == sample.lamports
    else:
        is_same = (recorded.lamports, recorded.owner, recorded.data_hash) == (
            sample.lamports,
            sample.owner,
            sample.data_hash,
        )
    if is_same:
        return Verdict.SAME
    return Verdict.MOVED if sample.slot > recorded.slot else Verdict.OLD
