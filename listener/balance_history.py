"""What a balance was after each slot that nobody saw live, read from the account's transactions.

A subscription tells the balance at the end of a slot, so the last transaction of each slot is enough, failed ones
included: they pay fees. What no transaction shows (rewards, rent that was collected) the catch-up sample makes up for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from chain.decode.answer import read_answer
from chain.errors import Unavailable
from chain.rpc.aio import AsyncRpcClient
from chain.types import SYSTEM_PROGRAM, AccountSample
from listener import metrics
from listener.histories import history_of, readable
from listener.observations import Past, Sample
from listener.watches import Watch


@dataclass(frozen=True, slots=True)
class PastBalances:
    """What the balance was before the first of its transactions (None: there are none) and after each, oldest first;
    what the gap's row says of it. `is_whole`: none is missing since the first slot."""

    before: AccountSample | None
    samples: tuple[AccountSample, ...]
    note: str
    is_whole: bool = True

    def ending_in(self, observation: Sample) -> Past:
        """The history and what it ends in, as one. The first of a history that was cut stands for what was cut off."""
        of, address, seen_at_s = observation.subscription_id, observation.address, observation.seen_at_s
        between = [Sample(of, address, one, seen_at_s, live=False) for one in self.samples]
        samples = [*between, observation]
        if not self.is_whole:
            samples[0] = replace(samples[0], catch_up=True)
        before = Sample(of, address, self.before or samples[0].sample, seen_at_s, live=False)
        return Past(of, address, (before, *samples))


async def past_balances(
    rpc: AsyncRpcClient, watch: Watch, first_slot: int, now: AccountSample, *, most: int
) -> PastBalances:
    """The balances from `first_slot` up to `now`. Of more than `most` transactions the older become one change.

    The owner is that of `now`: transactions do not tell it. Raises chain.errors.ChainError where a node cannot answer,
    or does not know a transaction that it has listed.
    """
    history = await history_of(rpc, watch, first_slot, now.slot, most=most)
    # Oldest first, so that the last of a slot stays.
    last_of_slot = {info.slot: info.signature for info in history.infos}
    metrics.TRANSACTIONS_FETCHED.labels("read_back").inc(len(last_of_slot))
    answers = await rpc.transactions(list(last_of_slot.values()), readable(watch.commitment))
    around = [_around(answer, watch.address) for answer in answers]
    samples = tuple(sample_of(slot, after, now.owner) for slot, (_, after) in zip(last_of_slot, around, strict=True))
    # Of several transactions in the first slot it is what was before the last of them, which says nothing then.
    before = sample_of(history.infos[0].slot - 1, around[0][0], now.owner) if around else None
    if history.lost_before is not None:
        note = f"coalesced before slot {history.lost_before}: {history.note}"
        return PastBalances(before, samples, note, is_whole=False)
    return PastBalances(before, samples, f"{len(history.infos)} transactions read back")


def balances_around(answer: Mapping[str, Any], address: str) -> tuple[int, int] | None:
    """The lamports of the account before and after the transaction (a `getTransaction` answer); None where it has no
    part in it. Raises Unavailable where the answer has not the shape that the method promises."""
    try:
        read = read_answer(answer)
    except ValueError as error:
        raise Unavailable("a transaction came in a shape that it cannot have") from error
    if address not in read.keys:
        return None
    place = read.keys.index(address)
    return read.lamports[0][place], read.lamports[1][place]


def _around(answer: Mapping[str, Any] | None, address: str) -> tuple[int, int]:
    if answer is None:
        raise Unavailable(f"a transaction of {address} is listed and not known")
    around = balances_around(answer, address)
    if around is None:
        raise Unavailable(f"a transaction of {address} is listed and does not name it")
    return around


def sample_of(slot: int, lamports: int, owner: str) -> AccountSample:
    """The account as it was; `owner` is the one it has now."""
    return AccountSample(slot, lamports, owner if lamports else SYSTEM_PROGRAM)
