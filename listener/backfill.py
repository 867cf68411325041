"""Reads back what a logs subscription did not see: the history of its address, through the same matching.

For each subscription that is told to `kick`, while it has open gaps, the oldest first:

1. The gap reaches up to the slot after which everything is seen live.
2. The address's signatures are listed, newest first, until one is older than the gap. By slot, never by signature: with
   an `until` that it has forgotten, a node answers its newest page and no error.
3. More than the stated number is too much: what is older is `lost` and says so.
4. The transactions are fetched and passed on, oldest first, with the progress behind them; the mailbox's bound holds.

An endpoint that cannot answer, or does not know a transaction that it has listed, is asked again later: the gap stays
open. A restart goes on from the progress.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from chain.errors import ChainError, NodeBehind, Unavailable
from chain.rpc.aio import AsyncRpcClient
from chain.rpc.pool import backoff
from chain.types import Commitment, SignatureInfo
from executions import timing
from listener import gaps
from listener.database import Database
from listener.gaps import OpenGap
from listener.mailbox import Mailbox
from listener.observations import GapProgress, TransactionLogs
from listener.registry import Audience, Registry

log = structlog.get_logger(__name__)

SUBSCRIPTIONS_AT_ONCE = 4
SIGNATURES_PER_PAGE = 1000
TRANSACTIONS_PER_CHUNK = 100
LEAST_WAIT_S = 0.1


class ReadBack:
    """One read-back for each subscription at a time, a few subscriptions at once.

    `slot_of` tells after which slot a subscription sees everything live, None while it sees nothing.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        mailbox: Mailbox,
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
        waits = backoff(LEAST_WAIT_S)
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
                await asyncio.sleep(max(timing.scaled(next(waits)), LEAST_WAIT_S))
            else:
                # The next look at the gaps has to find this one closed.
                await self._mailbox.settled()

    async def _fill(self, gap: OpenGap, audience: Audience) -> None:
        commitment: Commitment = "finalized" if audience.watch.commitment == "finalized" else "confirmed"
        first_slot = max(gap.from_slot, audience.since_slot)
        listed, is_whole = await signatures_between(
            self._rpc, audience.watch.address, commitment, first_slot, gap.to_slot, most=self._most_signatures
        )
        if not is_whole:
            note = f"more than {self._most_signatures} transactions"
            log.error("gap_lost", gap=gap.id, address=audience.watch.address, from_slot=gap.from_slot, reason=note)
            gap = await self._database.run(gaps.give_up_before, gap, listed[0].slot, note)
        wants_failed = any(wanted.trigger.include_failed for wanted in audience.wanted)
        chosen = [info for info in listed if info.err is None or wants_failed]
        for start in range(0, len(chosen), TRANSACTIONS_PER_CHUNK):
            chunk = chosen[start : start + TRANSACTIONS_PER_CHUNK]
            found = await self._transactions(chunk, audience.subscription_id, commitment)
            # More of the last slot may come with the next chunk.
            self._mailbox.put([*found, GapProgress(gap.id, chunk[-1].slot - 1)])
            await self._mailbox.room()
        self._mailbox.put([GapProgress(gap.id, gap.to_slot, f"{len(chosen)} transactions read back")])

    async def _transactions(
        self, chunk: Sequence[SignatureInfo], subscription_id: int, commitment: Commitment
    ) -> list[TransactionLogs]:
        answers = await self._rpc.transactions([info.signature for info in chunk], commitment)
        return [_logs_of(info, answer, subscription_id) for info, answer in zip(chunk, answers, strict=True)]


async def signatures_between(
    rpc: AsyncRpcClient, address: str, commitment: Commitment, first_slot: int, last_slot: int, *, most: int
) -> tuple[list[SignatureInfo], bool]:
    """The address's transactions in these slots (both included), oldest first, and whether that is all of them.

    Of more than `most` it gives the newest. Raises chain.errors.Unavailable where no node has reached `last_slot`.
    """
    found: list[SignatureInfo] = []
    before: str | None = None
    while True:
        page = await rpc.signatures_for_address(
            address, before=before, limit=SIGNATURES_PER_PAGE, commitment=commitment, min_context_slot=last_slot
        )
        found += [info for info in page if first_slot <= info.slot <= last_slot]
        if len(found) > most:
            return found[:most][::-1], False
        if len(page) < SIGNATURES_PER_PAGE or page[-1].slot < first_slot:
            return found[::-1], True
        before = page[-1].signature


def _logs_of(info: SignatureInfo, answer: dict[str, Any] | None, subscription_id: int) -> TransactionLogs:
    if answer is None or not isinstance(answer.get("meta"), dict):
        raise Unavailable(f"{info.signature} is listed and not known")
    meta = answer["meta"]
    logs = tuple(str(line) for line in meta.get("logMessages") or ())
    return TransactionLogs(subscription_id, info.slot, info.signature, meta.get("err"), logs, time.time())
