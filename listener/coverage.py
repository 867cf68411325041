"""Who sees what since when: turns notices into observations and sees to it that no slot goes unaccounted for.

A subscription that was acknowledged sees from now on. Before it counts as covered:

1. The time since its checkpoint is written down as a gap (listener.gaps), so that the checkpoint may pass it.
2. Of a state, one sample is read that is not older than the acknowledgement, and closes the gap; of a program's
   accounts, all of them (listener.programs); before that of a balance, what it was in between (listener.
   balance_history). Live samples wait for it, so that the first transition after the gap is the one marked `catch_up`.
   Of transactions, the read-back (listener.backfill) is told; live notices go on at once, the keys keep them apart.

A lost socket begins it anew. A checkpoint waits for what was told live and is still being fetched (listener.fetching).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from msgspec.structs import replace

from chain.errors import ChainError
from chain.rpc.aio import AsyncRpcClient
from chain.rpc.pool import backoff
from chain.types import AccountSample, Commitment
from executions import timing
from executions.crashpoints import reach
from listener import gaps
from listener.backfill import ReadBack
from listener.balance_history import PastBalances, past_balances
from listener.connection import Connection
from listener.database import Database
from listener.errors import WrongChain
from listener.fetching import Fetching
from listener.gaps import Blind
from listener.live import LiveTransactions
from listener.mailboxes import Mailboxes
from listener.observations import CaughtUp, Observation, Sample, Seen
from listener.programs import ProgramReader
from listener.protocol import AccountNotice, LogsNotice, SignatureNotice
from listener.registry import Registry
from listener.sampling import Read, Sampler, for_watch
from listener.watches import Watch

log = structlog.get_logger(__name__)

# Held samples of all subscriptions together; more are let go before their catch-up sample has come.
MOST_HELD = 10_000
# How long a balance waits for its history before what happened in between becomes one change.
MERGED_AFTER_S = 45.0
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
    # The first slot of its open gap, while it is not covered.
    blind_from: int | None = None
    # A slot that the checkpoint may move to when everything fetched up to this number is done.
    next_checkpoint: tuple[int, int] | None = None


class Coverage:
    """The `Events` of all connections. Everything but the ingest runs through here, on the event loop."""

    def __init__(
        self,
        *,
        registry: Registry,
        mailbox: Mailboxes,
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
        self._most_signatures = most_signatures
        self.sampler = Sampler(rpc, self._sampled)
        self.programs = ProgramReader(rpc, database, self._program_read)
        self.fetching = Fetching(mailbox.put, self._unfetched)
        self._live = LiveTransactions(registry, mailbox, rpc, self.fetching)
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
            self.programs.forget(subscription_id)
            self._live.forget(subscription_id)

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
        return self._mailbox.has_room and self.fetching.has_room

    async def room(self) -> None:
        await self._mailbox.room()
        await self.fetching.room()

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
            held = self._held_back(cover, catch_up=True)
            # Of a balance the history from the checkpoint on tells them too, with what was before each.
            self._mailbox.put(held if cover.watch.kind != "balance" else ())

    def account(self, notice: AccountNotice[int]) -> None:
        cover = self._covers.get(notice.key)
        if cover is None:
            return
        cover.count += 1
        address = notice.address or cover.watch.address
        if not cover.watch.is_state:
            self._live.token_account(notice.key, address, notice.slot)
            return
        state = for_watch(cover.watch, notice.slot, notice.lamports, notice.owner, notice.data)
        sample = Sample(notice.key, address, state, time.time())
        if cover.is_covered:
            self._mailbox.put((sample,))
            self._verify(notice.key, cover, address, notice.slot)
            return
        cover.held.append(sample)
        self._held += 1
        if self._held > MOST_HELD:
            self._let_go(cover, catch_up=True)

    def logs(self, notice: LogsNotice[int]) -> None:
        cover = self._covers.get(notice.key)
        if cover is not None:
            cover.count += 1
            self._live.logs(notice)

    def signature(self, notice: SignatureNotice[int]) -> None:
        cover = self._covers.get(notice.key)
        if cover is not None:
            cover.count += 1
            self._live.signature(notice, cover.watch.address)

    # What ingest and the sampler tell

    def doubt(self, doubtful: Iterable[tuple[int, str, int]]) -> None:
        """Samples were refused as old although they differ: read these accounts once, after the slots of their rows."""
        for subscription_id, address, slot in doubtful:
            cover = self._covers.get(subscription_id)
            if cover is not None:
                self._read_again(subscription_id, cover, address, cover.watch.commitment, slot + 1)

    def _sampled(self, read: Read, sample: AccountSample, seen_at_s: float) -> None:
        cover = self._covers.get(read.subscription_id)
        if cover is None:
            return
        observation = Sample(read.subscription_id, read.address, sample, seen_at_s, catch_up=read.catch_up, live=False)
        is_balance = cover.watch.kind == "balance"
        if is_balance and not read.catch_up and not cover.is_covered:
            return  # it is about to be read back, which answers what is in doubt
        # What is in doubt, too, must not jump over changes that are still on their way.
        first_slot = cover.blind_from if read.catch_up else read.min_slot
        if is_balance and first_slot is not None:
            work = partial(self._read_back_balances, read, observation, first_slot)
            self.fetching.want(read.subscription_id, sample.slot, work)
        else:
            self._mailbox.put(self._caught_up(read, cover, [observation]))

    async def _read_back_balances(
        self, read: Read, observation: Sample, first_slot: int, waited_s: float
    ) -> Sequence[Observation]:
        """What the balance was in between, and then the sample; that alone where the history does not come."""
        if waited_s < timing.scaled(MERGED_AFTER_S):
            most = self._most_signatures
            past = await past_balances(self._rpc, read.watch, first_slot, observation.sample, most=most)
        else:
            past = PastBalances((), "coalesced: its history could not be read")
        cover = self._covers.get(read.subscription_id)
        if cover is None:
            return []
        between = [Sample(read.subscription_id, read.address, one, time.time(), live=False) for one in past.samples]
        return self._caught_up(read, cover, [*between, observation], past.note)

    def _caught_up(
        self, read: Read, cover: _Cover, samples: Sequence[Sample], note: str = "coalesced"
    ) -> list[Observation]:
        """Everything up to the last of these samples, and what was held meanwhile, in the order for the mailbox."""
        if not read.catch_up:
            return list(samples)
        slot = samples[-1].sample.slot
        found: list[Observation] = [*samples, CaughtUp(read.subscription_id, slot, note=note)]
        if read.turn == cover.turn:
            cover.is_covered, cover.blind_from = True, None
            # What is not newer than the sample is in it.
            found += [held for held in self._held_back(cover, catch_up=False) if held.sample.slot > slot]
            self._verify(read.subscription_id, cover, read.address, slot)
        return found

    def _program_read(self, read: Read, found: Sequence[Observation], slot: int) -> None:
        cover = self._covers.get(read.subscription_id)
        if cover is None:
            return
        self._mailbox.put(found)
        if read.turn == cover.turn:
            cover.is_covered = True
            self._let_go(cover, catch_up=False)

    async def _unfetched(self, subscription_id: int, slot: int) -> None:
        """What was told at `slot` could not be fetched: a gap, for the read-back to fill."""
        await self._database.run(gaps.open_around, subscription_id, slot, CHECKPOINT_LAG_SLOTS)
        self.read_back.kick(subscription_id)

    def _verify(self, subscription_id: int, cover: _Cover, address: str, slot: int) -> None:
        """What was only processed may vanish with its fork, and nobody would say so: when the confirmed chain has
        passed the slot, its state is read and applied like any other sample, newer than what vanished."""
        if cover.watch.commitment == "processed":
            self._read_again(subscription_id, cover, address, "confirmed", slot + 1)

    def _read_again(
        self, subscription_id: int, cover: _Cover, address: str, commitment: Commitment, min_slot: int
    ) -> None:
        read = Read(subscription_id, cover.watch, address, commitment, min_slot, cover.turn, catch_up=False)
        self.sampler.request(read)

    def _let_go(self, cover: _Cover, *, catch_up: bool) -> None:
        """Pass on what was held."""
        self._mailbox.put(self._held_back(cover, catch_up=catch_up))

    def _held_back(self, cover: _Cover, *, catch_up: bool) -> list[Sample]:
        """What was held, and is not any more; the first of each account marked where no catch-up comes before it."""
        held, cover.held = cover.held, []
        self._held -= len(held)
        marked: set[str] = set()
        passed = []
        for sample in held:
            is_first = sample.address not in marked
            marked.add(sample.address)
            passed.append(replace(sample, catch_up=True) if catch_up and is_first else sample)
        return passed

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
        blind_from = await self._database.run(gaps.open_gaps, blind)
        reach("gaps_opened")
        for subscription_id, (slot, turn) in taken.items():
            cover = self._covers.get(subscription_id)
            if cover is None or cover.turn != turn:
                continue
            if cover.watch.is_state:
                cover.blind_from = blind_from.get(subscription_id)
                self._catch_up(subscription_id, cover.watch, slot, turn)
            else:
                cover.is_covered = True
                self.read_back.kick(subscription_id)

    def _catch_up(self, subscription_id: int, watch: Watch, slot: int, turn: int) -> None:
        is_program = watch.kind == "program"
        address = "" if is_program else watch.address
        read = Read(subscription_id, watch, address, watch.commitment, slot, turn, catch_up=True)
        if is_program:
            self.programs.request(read)
        else:
            self.sampler.request(read)

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
            if not cover.is_covered:
                continue
            slot = self._passed(subscription_id, cover, _old_slot(connection, cover.watch))
            if slot > 0:
                by_slot.setdefault(slot, {})[subscription_id] = cover.count
                cover.count = 0
        self._mailbox.put([Seen(counts, slot) for slot, counts in by_slot.items()])

    def _passed(self, subscription_id: int, cover: _Cover, slot: int) -> int:
        """Up to where everything that was told is in the mailbox: `slot`, or a slot noted before, or 0."""
        passed = 0
        if cover.next_checkpoint is not None:
            noted, number = cover.next_checkpoint
            if not self.fetching.is_done_up_to(subscription_id, number):
                return 0
            passed, cover.next_checkpoint = noted, None
        newest = self.fetching.newest
        if self.fetching.is_done_up_to(subscription_id, newest):
            return slot
        cover.next_checkpoint = (slot, newest)
        return passed


def _old_slot(connection: Connection, watch: Watch) -> int:
    """A slot of which every notification at this commitment has come. The root is what the node never leaves; what it
    calls finalized lags behind."""
    if watch.commitment == "finalized":
        return connection.root - CHECKPOINT_LAG_SLOTS
    return min(connection.root, connection.slot - CHECKPOINT_LAG_SLOTS)


def _slot(connection: Connection, watch: Watch) -> int:
    """What is notified at this commitment from now on is after this slot."""
    return connection.root if watch.commitment == "finalized" else connection.slot
