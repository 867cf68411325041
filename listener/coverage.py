"""Who sees what since when: turns notices into observations and sees to it that no slot goes unaccounted for.

A subscription that was acknowledged sees from now on. Before it counts as covered:

1. The time since its checkpoint is written down as a gap (listener.gaps), so that the checkpoint may pass it.
2. Of a state, one sample is read that is not older than the acknowledgement, and closes the gap. Live samples wait for
   it, so that the first transition after the gap is the one marked `catch_up`.
   Of logs, the read-back (listener.backfill) is told; live notices go on at once, the keys keep them apart.

A lost socket begins it anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from chain.errors import ChainError
from chain.rpc.aio import AsyncRpcClient
from chain.rpc.pool import backoff
from chain.types import AccountSample, Commitment
from executions import timing
from listener import gaps
from listener.backfill import ReadBack
from listener.connection import Connection
from listener.database import Database
from listener.errors import WrongChain
from listener.gaps import Blind
from listener.mailbox import Mailbox
from listener.observations import Sample, Seen, TransactionLogs
from listener.protocol import AccountNotice, LogsNotice
from listener.registry import Registry
from listener.sampling import Read, Sampler, for_watch
from listener.watches import Watch

log = structlog.get_logger(__name__)

# Held samples of all subscriptions together; more are let go before their catch-up sample has come.
MOST_HELD = 10_000
# A slot is safe to pass when it is this old: nothing of it can be on its way any more.
CHECKPOINT_LAG_SLOTS = 32


@dataclass(slots=True)
class _Cover:
    """One subscription. `turn` grows with every acknowledgement and loss, and tells late answers from current ones."""

    watch: Watch
    reason: str
    turn: int = 0
    is_covered: bool = False
    count: int = 0
    held: list[Sample] = field(default_factory=list)


class Coverage:
    """The `Events` of all connections. Everything but the ingest runs through here, on the event loop."""

    def __init__(
        self,
        *,
        registry: Registry,
        mailbox: Mailbox,
        database: Database,
        rpc: AsyncRpcClient,
        genesis_hash: str,
        most_signatures: int,
    ) -> None:
        self._registry = registry
        self._mailbox = mailbox
        self._database = database
        self._rpc = rpc
        self._genesis_hash = genesis_hash
        self.sampler = Sampler(rpc, self._sampled)
        self.read_back = ReadBack(
            registry=registry,
            mailbox=mailbox,
            database=database,
            rpc=rpc,
            most_signatures=most_signatures,
            slot_of=self.slot_of,
        )
        self._covers: dict[int, _Cover] = {}
        self._seeing: dict[int, Connection] = {}
        self._acknowledged: dict[int, tuple[int, int]] = {}
        self._has_acknowledged = asyncio.Event()
        self._held = 0

    # What the registry wants

    def watch(self, subscription_id: int, watch: Watch, *, is_new: bool) -> None:
        """Expect this subscription. `is_new`: somebody was enabled just now, so the time before is no gap."""
        self._covers[subscription_id] = _Cover(watch, "enabled" if is_new else "restart")

    def joined(self, subscription_id: int) -> None:
        """Somebody more wants this one, who has to be told what happened between the enabling and now. Of a state, the
        enabling's sample and the next transition say it all."""
        cover = self._covers.get(subscription_id)
        if cover is not None and not cover.watch.is_state:
            self.read_back.kick(subscription_id)

    def forget(self, subscription_ids: Iterable[int]) -> None:
        """Nobody wants these any more."""
        for subscription_id in subscription_ids:
            cover = self._covers.pop(subscription_id, None)
            self._held -= len(cover.held) if cover else 0
            self._seeing.pop(subscription_id, None)
            self.sampler.forget(subscription_id)

    def slot_of(self, subscription_id: int) -> int | None:
        """Everything after this slot is seen live; None while nothing is."""
        connection, cover = self._seeing.get(subscription_id), self._covers.get(subscription_id)
        return _slot(connection, cover.watch) if connection and cover else None

    @property
    def covered(self) -> int:
        """How many subscriptions are covered."""
        return sum(cover.is_covered for cover in self._covers.values())

    # What the connections tell

    @property
    def has_room(self) -> bool:
        return self._mailbox.has_room

    async def room(self) -> None:
        await self._mailbox.room()

    async def connected(self, connection: Connection) -> None:
        """Make sure that it is still the same chain: a test chain may have begun anew under the same address."""
        waits = backoff()
        while True:
            try:
                found = await self._rpc.genesis_hash()
            except ChainError as error:
                log.warning("rpc_unreachable", reason=str(error))
                await asyncio.sleep(timing.scaled(next(waits)))
                continue
            if found != self._genesis_hash:
                raise WrongChain(connection.host, found, self._genesis_hash)
            return

    def acknowledged(self, connection: Connection, subscription_id: int) -> None:
        cover = self._covers.get(subscription_id)
        if cover is None:
            return
        cover.turn += 1
        self._seeing[subscription_id] = connection
        self._acknowledged[subscription_id] = (_slot(connection, cover.watch), cover.turn)
        self._has_acknowledged.set()

    def lost(self, subscription_ids: Sequence[int]) -> None:
        for subscription_id in subscription_ids:
            cover = self._covers.get(subscription_id)
            if cover is None:
                continue
            cover.turn += 1
            cover.is_covered, cover.reason = False, "reconnect"
            self._seeing.pop(subscription_id, None)
            self._let_go(cover, catch_up=True)

    def account(self, notice: AccountNotice[int]) -> None:
        cover = self._covers.get(notice.key)
        if cover is None:
            return
        state = for_watch(cover.watch, notice.slot, notice.lamports, notice.owner, notice.data)
        sample = Sample(notice.key, cover.watch.address, state, time.time())
        cover.count += 1
        if cover.is_covered:
            self._mailbox.put((sample,))
            self._verify(notice.key, cover, notice.slot)
            return
        cover.held.append(sample)
        self._held += 1
        if self._held > MOST_HELD:
            self._let_go(cover, catch_up=True)

    def logs(self, notice: LogsNotice[int]) -> None:
        cover = self._covers.get(notice.key)
        if cover is None:
            return
        cover.count += 1
        seen = TransactionLogs(notice.key, notice.slot, notice.signature, notice.err, notice.logs, time.time())
        self._mailbox.put((seen,))

    # What ingest and the sampler tell

    def doubt(self, doubtful: Iterable[tuple[int, str, int]]) -> None:
        """Samples were refused as old although they differ: read these accounts once, after the slots of their rows."""
        for subscription_id, _, slot in doubtful:
            cover = self._covers.get(subscription_id)
            if cover is not None:
                self._read_again(subscription_id, cover, cover.watch.commitment, slot + 1)

    def _sampled(self, read: Read, sample: AccountSample, seen_at_s: float) -> None:
        cover = self._covers.get(read.subscription_id)
        if cover is None:
            return
        is_current = read.catch_up and read.turn == cover.turn
        observation = Sample(
            read.subscription_id,
            read.watch.address,
            sample,
            seen_at_s,
            catch_up=read.catch_up,
            live=False,
            closes_gaps=read.catch_up,
        )
        self._mailbox.put((observation,))
        if is_current:
            cover.is_covered = True
            self._let_go(cover, catch_up=False)
            self._verify(read.subscription_id, cover, sample.slot)

    def _verify(self, subscription_id: int, cover: _Cover, slot: int) -> None:
        """What was only processed may vanish with its fork, and nobody would say so: when the confirmed chain has
        passed the slot, its state is read and applied like any other sample, newer than what vanished."""
        if cover.watch.commitment == "processed":
            self._read_again(subscription_id, cover, "confirmed", slot + 1)

    def _read_again(self, subscription_id: int, cover: _Cover, commitment: Commitment, min_slot: int) -> None:
        self.sampler.request(Read(subscription_id, cover.watch, commitment, min_slot, cover.turn, catch_up=False))

    def _let_go(self, cover: _Cover, *, catch_up: bool) -> None:
        """Pass on what was held, the first marked where the catch-up sample has not come before it."""
        held, cover.held = cover.held, []
        self._held -= len(held)
        if held:
            self._mailbox.put([replace(held[0], catch_up=catch_up), *held[1:]])

    # What goes on beside

    async def run(self) -> None:
        """Take up acknowledged subscriptions, as many at once as have gathered meanwhile."""
        while True:
            await self._has_acknowledged.wait()
            self._has_acknowledged.clear()
            taken, self._acknowledged = self._acknowledged, {}
            await self._take_up(taken)

    async def _take_up(self, taken: dict[int, tuple[int, int]]) -> None:
        blind = [blind for key, (slot, _) in taken.items() for blind in self._blind(key, slot)]
        await self._database.run(gaps.open_gaps, blind)
        for subscription_id, (slot, turn) in taken.items():
            cover = self._covers.get(subscription_id)
            if cover is None or cover.turn != turn:
                continue
            if cover.watch.is_state:
                read = Read(subscription_id, cover.watch, cover.watch.commitment, slot, turn, catch_up=True)
                self.sampler.request(read)
            else:
                cover.is_covered = True
                self.read_back.kick(subscription_id)

    def _blind(self, subscription_id: int, slot: int) -> Iterable[Blind]:
        cover, audience = self._covers.get(subscription_id), self._registry.audience(subscription_id)
        if cover is not None and audience is not None:
            # A state that somebody begins to watch has its baseline from the enabling; logs are read from there on.
            is_gap = cover.reason != "enabled" or not cover.watch.is_state
            yield Blind(subscription_id, audience.since_slot, slot, cover.reason if is_gap else "")

    def note_seen(self) -> None:
        """Let the checkpoints of covered subscriptions follow the chain, whether something happens to them or not."""
        by_slot: dict[int, dict[int, int]] = {}
        for subscription_id, connection in self._seeing.items():
            cover = self._covers[subscription_id]
            slot = _old_slot(connection, cover.watch)
            if cover.is_covered and slot > 0:
                by_slot.setdefault(slot, {})[subscription_id] = cover.count
                cover.count = 0
        self._mailbox.put([Seen(counts, slot) for slot, counts in by_slot.items()])


def _old_slot(connection: Connection, watch: Watch) -> int:
    """A slot of which every notification at this commitment has come. The root is what the node never leaves; what it
    calls finalized lags behind."""
    if watch.commitment == "finalized":
        return connection.root - CHECKPOINT_LAG_SLOTS
    return min(connection.root, connection.slot - CHECKPOINT_LAG_SLOTS)


def _slot(connection: Connection, watch: Watch) -> int:
    """What is notified at this commitment from now on is after this slot."""
    return connection.root if watch.commitment == "finalized" else connection.slot
