"""Pure: what a sample says against the recorded state of an account. A transition is an event, a sample is not."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import msgspec
from msgspec.structs import replace

from chain.types import AccountSample
from listener.observations import Sample


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


def unseen(recorded: AccountSample, past: Sequence[Sample]) -> list[Sample]:
    """What of a balance's history, oldest first and complete since its first slot, the record has not had.

    A notification bears the slot of the bank that told it: what is recorded as of slot 12 may have happened in 10, and
    then what happened in 11 and 12 is new. Where the history reaches past the record, its place is the last time, not
    after the recorded slot, that the balance was what is recorded; what comes after it is given slots that move the
    record, one after the other. Without such a place it is the slots that tell.
    """
    if not past or past[-1].sample.slot < recorded.slot:
        return list(past)
    place = next((n for n in reversed(range(len(past))) if _may_be(recorded, past[n].sample)), None)
    if place is None:
        return list(past)
    found, slot, lamports = [], recorded.slot, recorded.lamports
    for one in past[place + 1 :]:
        if one.sample.lamports != lamports:
            slot, lamports = max(one.sample.slot, slot + 1), one.sample.lamports
            found.append(one if slot == one.sample.slot else replace(one, sample=replace(one.sample, slot=slot)))
    return found


def _may_be(recorded: AccountSample, sample: AccountSample) -> bool:
    return sample.slot <= recorded.slot and sample.lamports == recorded.lamports
