"""Reads back what balances were while nobody saw them (listener.balance_history), a few subscriptions at once.

A socket that is lost again and again wants the same histories again and again: a later request takes the place of one
that waits, so that the work is bounded by the subscriptions and the oldest request is served first. What a read finds
counts although it was asked for before the socket was lost: the next one begins behind it (listener.checkpoints).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from chain.errors import ChainError
from chain.rpc.aio import AsyncRpcClient
from executions import timing
from listener.balance_history import PastBalances, past_balances
from listener.observations import Sample
from listener.sampling import Read
from listener.waits import after, waits

log = structlog.get_logger(__name__)

AT_ONCE = 64  # their calls share requests
# How long a balance waits for its history before what happened in between becomes one change.
MERGED_AFTER_S = 45.0
LEAST_MERGED_AFTER_S = 20.0  # endpoints do not get faster in tests that shrink time
UNREADABLE = "coalesced: its history could not be read"


@dataclass(slots=True, eq=False)
class _Wish:
    """The balance is `now`; what was it since `first_slot`?"""

    read: Read
    now: Sample
    first_slot: int
    tried_since_s: float | None = None


class BalanceReadBack:
    """One history for each subscription is waiting or under way. On the event loop."""

    def __init__(
        self, rpc: AsyncRpcClient, on_read: Callable[[Read, Sample, PastBalances], None], *, most_signatures: int
    ) -> None:
        self._rpc = rpc
        self._on_read = on_read
        self._most_signatures = most_signatures
        self._wishes: dict[int, _Wish] = {}
        self._requests: asyncio.Queue[int] = asyncio.Queue()
        self._gate = asyncio.Semaphore(AT_ONCE)

    def __len__(self) -> int:
        return len(self._wishes)

    def request(self, read: Read, now: Sample, first_slot: int) -> None:
        """Read soon what the balance was from `first_slot` on until it is `now`."""
        is_wanted = read.subscription_id in self._wishes
        self._wishes[read.subscription_id] = _Wish(read, now, first_slot)
        if not is_wanted:
            self._requests.put_nowait(read.subscription_id)

    def forget(self, subscription_id: int) -> None:
        """Nobody wants it any more; its place in the line answers nothing."""
        self._wishes.pop(subscription_id, None)

    async def run(self) -> None:
        """Read whatever is requested, for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                subscription_id = await self._requests.get()
                await self._gate.acquire()
                tasks.create_task(self._serve(subscription_id), name=f"balance {subscription_id}")

    async def _serve(self, subscription_id: int) -> None:
        """With a place taken, which is given back while it waits."""
        growing = waits()
        while (wish := self._wishes.get(subscription_id)) is not None:
            try:
                failure = await self._try(wish)
            finally:
                self._gate.release()
            if failure is None:
                break
            await asyncio.sleep(after(failure, growing))
            await self._gate.acquire()
        else:
            self._gate.release()
        if wish is not None:
            self._finish(subscription_id, wish)

    async def _try(self, wish: _Wish) -> ChainError | None:
        now_s = time.monotonic()
        wish.tried_since_s = wish.tried_since_s or now_s
        try:
            past = await past_balances(
                self._rpc, wish.read.watch, wish.first_slot, wish.now.sample, most=self._most_signatures
            )
        except ChainError as error:
            log.debug("history_postponed", subscription=wish.read.subscription_id, reason=str(error))
            if now_s - wish.tried_since_s < max(timing.scaled(MERGED_AFTER_S), LEAST_MERGED_AFTER_S):
                return error
            past = PastBalances(None, (), UNREADABLE, is_whole=False)
        if wish.read.subscription_id in self._wishes:
            self._on_read(wish.read, wish.now, past)
        return None

    def _finish(self, subscription_id: int, wish: _Wish) -> None:
        newest = self._wishes.get(subscription_id)
        if newest is wish:
            del self._wishes[subscription_id]
        elif newest is not None:
            self._requests.put_nowait(subscription_id)
