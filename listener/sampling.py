"""Reads accounts, many at once: for what was not seen live, and for what a stale sample put in doubt."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from chain.errors import ChainError, NodeBehind
from chain.rpc.aio import AsyncRpcClient
from chain.rpc.calls import ACCOUNTS_PER_CALL
from chain.types import SYSTEM_PROGRAM, AccountSample, Commitment
from listener.waits import after, waits
from listener.watches import Watch

log = structlog.get_logger(__name__)

# Reads this close wait for each other; one for a slot that is far ahead must not hold up the rest.
SLOTS_TOGETHER = 2


# Why an account is read, the weightier last: to see whether it is as recorded, because it is not, or because the time
# before was not seen.
Purpose = Literal["check", "doubt", "catch_up"]
_WEIGHT: dict[Purpose, int] = {"check": 0, "doubt": 1, "catch_up": 2}


@dataclass(frozen=True, slots=True)
class Read:
    """An account to be read at `commitment` and a slot not before `min_slot`. `turn` comes back with the sample.

    `address` is one of the accounts of a program's watch, that of any other watch, or empty for all of a program."""

    subscription_id: int
    watch: Watch
    address: str
    commitment: Commitment
    min_slot: int
    turn: int
    purpose: Purpose


class Sampler:
    """One read is waiting or under way for each account of a subscription; a later request for it replaces it."""

    def __init__(self, rpc: AsyncRpcClient, on_sample: Callable[[Read, AccountSample, float], None]) -> None:
        self._rpc = rpc
        self._on_sample = on_sample
        self._waiting: dict[tuple[int, str], Read] = {}
        self._has_work = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def request(self, read: Read) -> None:
        """Read this account soon. What waits for a weightier purpose is not replaced: it answers both."""
        place = (read.subscription_id, read.address)
        before = self._waiting.get(place)
        if before is not None and _WEIGHT[before.purpose] > _WEIGHT[read.purpose]:
            return
        self._waiting[place] = read
        self._has_work.set()

    def forget(self, subscription_id: int) -> None:
        """Nobody wants it any more."""
        for place in [place for place in self._waiting if place[0] == subscription_id]:
            del self._waiting[place]

    async def run(self) -> None:
        """Read what is waiting, for ever; what fails is tried again after a while that grows."""
        growing = waits()
        while True:
            await self._has_work.wait()
            if not self._waiting:  # nobody wants any more what was asked for
                self._has_work.clear()
                continue
            failure = await self._read_batch(self._next_batch())
            if failure is None:
                growing = waits()
            else:
                await asyncio.sleep(after(failure, growing))

    def _next_batch(self) -> list[Read]:
        """Reads of one commitment, as many as one call takes, those that a node can answer first and at once."""
        ordered = sorted(self._waiting.values(), key=lambda read: read.min_slot)
        first = ordered[0]
        fitting = [
            read
            for read in ordered
            if read.commitment == first.commitment and read.min_slot <= first.min_slot + SLOTS_TOGETHER
        ]
        return fitting[:ACCOUNTS_PER_CALL]

    async def _read_batch(self, batch: list[Read]) -> ChainError | None:
        min_slot = max(read.min_slot for read in batch)
        addresses = [read.address for read in batch]
        commitment = batch[0].commitment
        seen_at_s = time.time()
        try:
            slot, found = await self._rpc.accounts(addresses, commitment=commitment, min_context_slot=min_slot)
        except ChainError as error:
            # For a slot or two after the acknowledgement every node is behind.
            level = logging.DEBUG if isinstance(error, NodeBehind) else logging.WARNING
            log.log(level, "read_postponed", accounts=len(batch), min_slot=min_slot, reason=str(error))
            return error
        for read, sample in zip(batch, found, strict=True):
            place = (read.subscription_id, read.address)
            if self._waiting.get(place) == read:
                del self._waiting[place]
            self._on_sample(read, _sample_for(read.watch, slot, sample), seen_at_s)
        if not self._waiting:
            self._has_work.clear()
        return None


def _sample_for(watch: Watch, slot: int, sample: AccountSample | None) -> AccountSample:
    known = sample or AccountSample.of(slot, 0, SYSTEM_PROGRAM, b"")
    return for_watch(watch, known.slot, known.lamports, known.owner, known.data or b"")


def for_watch(watch: Watch, slot: int, lamports: int, owner: str, data: bytes) -> AccountSample:
    """A sample with as much of the account as the watch is about: nothing, where a program's does not choose it."""
    if watch.kind == "balance":
        return AccountSample(slot, lamports, owner)
    if watch.kind == "program" and not watch.chooses(owner, data):
        return AccountSample.of(slot, 0, SYSTEM_PROGRAM, b"")
    return AccountSample.of(slot, lamports, owner, data)
