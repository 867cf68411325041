"""Reads back what a subscription to transactions did not see: their history (listener.histories), whole transactions
(listener.transactions), through the same matching.

For each subscription that is told to `kick`, while it has open gaps, the oldest first:

1. The gap reaches up to the slot after which everything is seen live.
2. The transactions in it are listed. Of more than the stated number the older are `lost` and say so.
3. They are fetched and passed on, oldest first, with the progress behind them; the mailbox's bound holds.

An endpoint that cannot answer, or does not know a transaction that it has listed, is asked again later: the gap stays
open. A restart goes on from the progress.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import structlog

from chain.errors import ChainError, NodeBehind
from chain.rpc.aio import AsyncRpcClient
from executions.crashpoints import reach
from listener import gaps
from listener.database import Database
from listener.gaps import OpenGap
from listener.histories import history_of
from listener.mailboxes import Mailboxes
from listener.needs import asks
from listener.observations import GapProgress
from listener.registry import Audience, Registry
from listener.transactions import fetch
from listener.waits import after, waits

log = structlog.get_logger(__name__)

SUBSCRIPTIONS_AT_ONCE = 4
TRANSACTIONS_PER_CHUNK = 100


class ReadBack:
    """One read-back for each subscription at a time, a few subscriptions at once.

    `slot_of` tells after which slot a subscription sees everything live, None while it sees nothing.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        mailbox: Mailboxes,
        database: Database,
        rpc: AsyncRpcClient,
        most_signatures: int,
        slot_of: Callable[[int], int | None],
    ) -> None:
        self._registry = registry
        self._mailbox = mailbox
        self._database = database
        self._rpc = rpc
        self._most_signatures = most_signatures
        self._slot_of = slot_of
        self._gate = asyncio.Semaphore(SUBSCRIPTIONS_AT_ONCE)
        self._kicked: asyncio.Queue[int] = asyncio.Queue()
        self._under_way: set[int] = set()
        self._again: set[int] = set()

    def __len__(self) -> int:
        return len(self._under_way)

    def kick(self, subscription_id: int) -> None:
        """There may be open gaps."""
        if subscription_id in self._under_way:
            self._again.add(subscription_id)
        else:
            self._under_way.add(subscription_id)
            self._kicked.put_nowait(subscription_id)

    async def run(self) -> None:
        """Read back whatever is kicked."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                subscription_id = await self._kicked.get()
                tasks.create_task(self._serve(subscription_id), name=f"read back {subscription_id}")

    async def _serve(self, subscription_id: int) -> None:
        async with self._gate:
            await self._fill_all(subscription_id)
        self._under_way.discard(subscription_id)
        if subscription_id in self._again:
            self._again.discard(subscription_id)
            self.kick(subscription_id)

    async def _fill_all(self, subscription_id: int) -> None:
        growing = waits()
        live_after = self._slot_of(subscription_id)
        if live_after is None:
            return  # the next acknowledgement kicks
        await self._database.run(gaps.extend, subscription_id, live_after)
        while gap := await self._database.run(gaps.oldest_open, subscription_id):
            audience = self._registry.audience(subscription_id)
            if audience is None:
                return
            try:
                await self._fill(gap, audience)
            except ChainError as error:
                # For a slot or two after the acknowledgement every node is behind.
                level = logging.DEBUG if isinstance(error, NodeBehind) else logging.WARNING
                log.log(level, "read_back_postponed", gap=gap.id, reason=str(error))
                await asyncio.sleep(after(error, growing))
            else:
                # The next look at the gaps has to find this one closed.
                await self._mailbox.settled()

    async def _fill(self, gap: OpenGap, audience: Audience) -> None:
        first_slot = max(gap.from_slot, audience.since_slot)
        history = await history_of(self._rpc, audience.watch, first_slot, gap.to_slot, most=self._most_signatures)
        if history.lost_before is not None:
            address, note = audience.watch.address, history.note
            log.error("gap_lost", gap=gap.id, address=address, from_slot=gap.from_slot, reason=note)
            gap = await self._database.run(gaps.give_up_before, gap, history.lost_before, note)
        chosen = [info for info in history.infos if any(asks(wanted, info.err) for wanted in audience.wanted)]
        for start in range(0, len(chosen), TRANSACTIONS_PER_CHUNK):
            chunk = chosen[start : start + TRANSACTIONS_PER_CHUNK]
            found = await fetch(self._rpc, audience, [info.signature for info in chunk], "read_back")
            # More of the last slot may come with the next chunk.
            done_slot = min(chunk[-1].slot, gap.to_slot) - 1
            self._mailbox.put([*found, GapProgress(audience.subscription_id, gap.id, done_slot)])
            reach("gap_read")
            await self._mailbox.room()
        note = f"{len(chosen)} transactions read back"
        self._mailbox.put([GapProgress(audience.subscription_id, gap.id, gap.to_slot, note)])
