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

    The first one is what the balance was before. A notification bears the slot of the bank that told it: what is
    recorded as of slot 12 may have happened in 10, and then what happened in 11 and 12 is new. Where the history
    reaches past the record, its place is the last time, not after the recorded slot, that the balance was what is
    recorded, or else the first time after it; what comes after it is given slots that move the record, one after the
    other. Without such a place it is the slots that tell.
    """
    if not past or past[-1].sample.slot < recorded.slot:
        return list(past[1:])
    same = [n for n, one in enumerate(past) if one.sample.lamports == recorded.lamports]
    if not same:
        return list(past[1:])
    place = max((n for n in same if past[n].sample.slot <= recorded.slot), default=same[0])
    found, slot, lamports = [], recorded.slot, recorded.lamports
    for one in past[place + 1 :]:
        if one.sample.lamports != lamports:
            slot, lamports = max(one.sample.slot, slot + 1), one.sample.lamports
            found.append(one if slot == one.sample.slot else replace(one, sample=replace(one.sample, slot=slot)))
    if past[-1].sample.slot > slot:
        found.append(past[-1])  # nothing more happened up to there
    return found


def contradicts(past: Sequence[Sample], told: Sequence[Sample]) -> bool:
    """Whether a complete history does not have what was told live while it was read, or has it at another place: then
    what was told bears the slots of other banks, and cannot be put in order with the history by them."""
    *earlier, now = [one.sample for one in past]
    known = {one.lamports for one in earlier}
    for one in told:
        slot, lamports = one.sample.slot, one.sample.lamports
        if lamports != now.lamports and (lamports in known) == (slot > now.slot):
            return True
    return False
