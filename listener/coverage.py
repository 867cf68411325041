"""Who sees what since when: turns notices into observations and sees to it that no slot goes unaccounted for.

A subscription that was acknowledged sees from now on. Before it counts as covered:

1. The time since its checkpoint is written down as a gap (listener.gaps), so that the checkpoint may pass it.
2. Of a state, one sample is read that is not older than the acknowledgement, and closes the gap; of a program's
   accounts, all of them (listener.programs); before that of a balance, what it was in between (listener.
   balance_history). Live samples wait for it, so that the first transition after the gap is the one marked `catch_up`.
   Of transactions, the read-back (listener.backfill) is told; live notices go on at once, the keys keep them apart.

A lost socket begins it anew. What is covered is compared with the chain now and then (listener.second_looks), and where
it is not as recorded, or a sample was refused as old, it is read as after a gap. A checkpoint waits for what was told
live and is still being fetched (listener.fetching).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Iterable, Sequence

import structlog

from chain.errors import ChainError
from chain.rpc.aio import AsyncRpcClient
from chain.rpc.pool import backoff
from chain.types import AccountSample, Commitment
from executions import timing
from executions.crashpoints import reach
from listener import gaps
from listener.backfill import ReadBack
from listener.balance_history import PastBalances
from listener.balance_read_back import BalanceReadBack
from listener.connection import Connection
from listener.cover import Cover
from listener.database import Database
from listener.errors import WrongChain
from listener.fetching import Fetching
from listener.gaps import Blind
from listener.live import LiveTransactions
from listener.mailboxes import Mailboxes
from listener.observations import CaughtUp, Observation, Past, Sample, Seen
from listener.programs import ProgramReader
from listener.protocol import AccountNotice, LogsNotice, SignatureNotice
from listener.recent import Recent
from listener.registry import Registry
from listener.sampling import Purpose, Read, Sampler, for_watch
from listener.second_looks import SecondLooks
from listener.sight import CHECKPOINT_LAG_SLOTS, Sight, live_after, old_slot
from listener.transitions import contradicts
from listener.watches import Watch

log = structlog.get_logger(__name__)

# Held samples of all subscriptions together; more are let go before their catch-up sample has come.
MOST_HELD = 10_000
# What is told twice by two endpoints is told within moments.
MOST_TOLD = 20_000
# A history that what was told meanwhile does not fit into is read so often in a row.
MOST_READ_AGAIN = 3


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
        is_redundant: bool = False,
    ) -> None:
        self._registry = registry
        self._mailbox = mailbox
        self._database = database
        self._rpc = rpc
        self._genesis_hash = genesis_hash
        self.sampler = Sampler(rpc, self._sampled)
        self._second_looks = SecondLooks(CHECKPOINT_LAG_SLOTS)
        self.balances = BalanceReadBack(rpc, self._balances_read, most_signatures=most_signatures)
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
        self._covers: dict[int, Cover] = {}
        self._sight = Sight()
        self._told = Recent(MOST_TOLD) if is_redundant else None
        self._acknowledged: dict[int, tuple[int, int]] = {}
        self._has_acknowledged = asyncio.Event()
        self._held = 0

    # What the registry wants

    def watch(self, subscription_id: int, watch: Watch, *, is_new: bool) -> None:
        """Expect this subscription. `is_new`: somebody was enabled just now, so the time before is no gap."""
        self._covers[subscription_id] = Cover(watch, "enabled" if is_new else "restart")

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
            self._sight.forget(subscription_id)
            self.sampler.forget(subscription_id)
            self.balances.forget(subscription_id)
            self._second_looks.forget(subscription_id)
            self.programs.forget(subscription_id)
            self._live.forget(subscription_id)

    def slot_of(self, subscription_id: int) -> int | None:
        """Everything after this slot is seen live; None while nothing is."""
        connection, cover = self._sight.of(subscription_id), self._covers.get(subscription_id)
        return live_after(connection, cover.watch) if connection and cover else None

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
        if not self._sight.begin(subscription_id, connection):
            return  # one more sees it
        cover.turn += 1
        self._acknowledged[subscription_id] = (live_after(connection, cover.watch), cover.turn)
        self._has_acknowledged.set()

    def lost(self, connection: Connection, subscription_ids: Sequence[int]) -> None:
        for subscription_id in self._sight.end(connection, subscription_ids):
            cover = self._covers.get(subscription_id)
            if cover is None:
                continue
            cover.turn += 1
            cover.is_covered, cover.reason = False, "reconnect"
            self._held -= len(cover.held)
            held = cover.take_held(catch_up=True)
            # Of a balance the history from the checkpoint on tells them too, with what was before each.
            self._mailbox.put(() if cover.is_balance else held)

    def account(self, notice: AccountNotice[int]) -> None:
        cover = self._covers.get(notice.key)
        if cover is None or self._is_repeat(notice.key, notice.address, notice.slot, notice.lamports, notice.data):
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
            self._look_again(notice.key, cover, address, notice.slot)
            return
        cover.held.append(sample)
        self._held += 1
        if self._held > MOST_HELD:
            self._let_go(cover, catch_up=True)

    def logs(self, notice: LogsNotice[int]) -> None:
        cover = self._covers.get(notice.key)
        if cover is not None and not self._is_repeat(notice.key, notice.signature):
            cover.count += 1
            self._live.logs(notice)

    def signature(self, notice: SignatureNotice[int]) -> None:
        cover = self._covers.get(notice.key)
        if cover is not None:
            cover.count += 1
            self._live.signature(notice, cover.watch.address)

    def _is_repeat(self, *notice: Hashable) -> bool:
        """Whether another endpoint has told the same. Keys and rows would drop it, too, at a price."""
        return self._told is not None and not self._told.add(notice)

    # What ingest and the sampler tell

    def doubt(self, doubtful: Iterable[tuple[int, str, int]]) -> None:
        """The records of these accounts, as of these slots, may not be what the chain has: read them once.

        Of a balance the history is read too, from a while before that slot, since it is that of the bank that told it;
        live samples wait for it, so as not to jump over what was missed, and it reaches up to where the feed is now:
        what was told until now and is not written yet does not move the record any more (listener.states).
        """
        for subscription_id, address, slot in doubtful:
            cover = self._covers.get(subscription_id)
            if cover is None or (cover.is_balance and not cover.is_covered):
                continue  # it is about to be read back, which answers what is in doubt
            min_slot = slot + 1
            if cover.is_balance:
                cover.is_covered, cover.blind_from = False, max(slot - CHECKPOINT_LAG_SLOTS, 0)
                min_slot = max(min_slot, self.slot_of(subscription_id) or 0)
            self._read(subscription_id, cover, address, "doubt", min_slot)

    def _sampled(self, read: Read, sample: AccountSample, seen_at_s: float) -> None:
        cover = self._covers.get(read.subscription_id)
        if cover is None or (read.purpose == "check" and not cover.is_covered):
            return
        if cover.is_balance and read.purpose == "doubt" and read.turn != cover.turn:
            return  # the socket was lost meanwhile: what is read back then answers it
        is_catch_up, is_check = read.purpose == "catch_up", read.purpose == "check"
        observation = Sample(
            read.subscription_id, read.address, sample, seen_at_s, catch_up=is_catch_up, live=False, check=is_check
        )
        if is_check:
            self._mailbox.put((observation,))
        elif cover.is_balance and cover.blind_from is not None:
            self.balances.request(read, observation, cover.blind_from)
        else:
            self._answered(read, cover, observation, observation, "coalesced")

    def _balances_read(self, read: Read, observation: Sample, found: PastBalances) -> None:
        """What the balance was in between and is; that alone where the history did not come."""
        cover = self._covers.get(read.subscription_id)
        if cover is None:
            return
        past = found.ending_in(observation)
        is_odd = read.turn == cover.turn and found.is_whole and contradicts(past.samples, cover.held)
        if not is_odd or cover.read_again >= MOST_READ_AGAIN:
            cover.read_again = 0
            self._answered(read, cover, observation, past, found.note)
            return
        cover.read_again += 1
        self._held -= len(cover.take_held(catch_up=False))  # all of it is in the history that is read next
        self._answered(read, cover, observation, past, found.note)
        self.doubt([(read.subscription_id, read.address, observation.sample.slot)])

    def _answered(self, read: Read, cover: Cover, observation: Sample, found: Sample | Past, note: str) -> None:
        """Pass on what was read, and what was held meanwhile."""
        self._mailbox.put((found,))
        slot = observation.sample.slot
        if read.purpose == "catch_up":
            self._mailbox.put((CaughtUp(read.subscription_id, slot, note=note),))
        if read.turn == cover.turn and (read.purpose == "catch_up" or cover.is_balance):
            cover.is_covered, cover.blind_from = True, None
            # What is not newer than the sample is in it.
            self._held -= len(cover.held)
            self._mailbox.put(cover.take_held(catch_up=False, after_slot=slot))
            self._look_again(read.subscription_id, cover, read.address, slot)

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

    def _look_again(self, subscription_id: int, cover: Cover, address: str, slot: int) -> None:
        """See later whether it is as told. What was only processed may vanish with its fork, and nobody would say so:
        it is compared when the confirmed chain has passed the slot, and else when it has been quiet for a while."""
        if cover.watch.commitment == "processed":
            self._read(subscription_id, cover, address, "check", slot + 1, "confirmed")
        self._second_looks.told((subscription_id, address), slot)

    def _read(
        self,
        subscription_id: int,
        cover: Cover,
        address: str,
        purpose: Purpose,
        min_slot: int,
        commitment: Commitment | None = None,
    ) -> None:
        at = commitment or cover.watch.commitment
        self.sampler.request(Read(subscription_id, cover.watch, address, at, min_slot, cover.turn, purpose))

    def _let_go(self, cover: Cover, *, catch_up: bool) -> None:
        """Pass on what was held."""
        self._held -= len(cover.held)
        self._mailbox.put(cover.take_held(catch_up=catch_up))

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
                cover.blind_from = blind_from.get(subscription_id, self._unseen_since(subscription_id, cover, slot))
                self._catch_up(subscription_id, cover.watch, slot, turn)
            else:
                cover.is_covered = True
                self.read_back.kick(subscription_id)

    def _unseen_since(self, subscription_id: int, cover: Cover, slot: int) -> int:
        """From where on a history is read where there is no gap, because what sees it since `slot` is not past the
        checkpoint. The time since an enabling is no gap, but not seen either."""
        audience = self._registry.audience(subscription_id)
        if cover.reason == "enabled" and audience is not None:
            return audience.since_slot
        return max(slot - CHECKPOINT_LAG_SLOTS, 0)

    def _catch_up(self, subscription_id: int, watch: Watch, slot: int, turn: int) -> None:
        is_program = watch.kind == "program"
        address = "" if is_program else watch.address
        read = Read(subscription_id, watch, address, watch.commitment, slot, turn, "catch_up")
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
        for subscription_id, connection in self._sight:
            cover = self._covers[subscription_id]
            if not cover.is_covered:
                continue
            slot = cover.passed(old_slot(connection, cover.watch), self.fetching, subscription_id)
            if slot > 0:
                by_slot.setdefault(slot, {})[subscription_id] = cover.count
                cover.count = 0
        self._mailbox.put([Seen(counts, slot) for slot, counts in by_slot.items()])
        for (subscription_id, address), slot in self._second_looks.due(self.slot_of):
            self._read(subscription_id, self._covers[subscription_id], address, "check", slot)

    def check_all(self) -> None:
        """Compare every account that is watched by itself with the chain: a notification may have been dropped."""
        for subscription_id, cover in self._covers.items():
            if cover.is_covered and cover.watch.kind in ("balance", "account"):
                slot = self.slot_of(subscription_id) or 0
                self._second_looks.told((subscription_id, cover.watch.address), slot)
