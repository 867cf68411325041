"""Reads all accounts of a program that a watch chooses: at enabling, and to catch up with what was not seen live.

Each account has a state row, as a single watched account has. One that is not among the answers any more, being closed,
given to another program or changed so that the filters do not choose it, is recorded as gone: no event, here as live,
where nodes tell nothing of it either. When it comes back, that is a change from nothing.

Bounded: beyond MOST_ACCOUNTS a watch is refused at enabling, and a catch-up is given up and shown as lost, because each
would read and compare the whole program.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from chain.errors import ChainError, NodeBehind
from chain.rpc.aio import AsyncRpcClient
from chain.rpc.sync import RpcClient
from chain.types import SYSTEM_PROGRAM, AccountSample
from listener import states
from listener.database import Database
from listener.observations import CaughtUp, Observation, Sample
from listener.sampling import Read
from listener.waits import after, waits
from listener.watches import MOST_FILTERS, Watch

log = structlog.get_logger(__name__)

MOST_ACCOUNTS = 10_000
PROGRAMS_AT_ONCE = 2


class TooManyAccounts(Exception):
    """The filters choose more accounts than can be watched."""

    def __init__(self, watch: Watch, count: int) -> None:
        self.count = count
        super().__init__(
            f"{watch.address} has {count} accounts that these filters choose, and at most {MOST_ACCOUNTS} are watched: "
            "narrow them by data_size, or by memcmp at a field that they differ in"
        )


def read(rpc: RpcClient, watch: Watch) -> tuple[int, dict[str, AccountSample]]:
    """The slot of the answer and the accounts that the watch chooses. They are counted first, which costs no data.

    Raises TooManyAccounts; what chain.rpc.sync.RpcClient raises.
    """
    filters = watch.filters[:MOST_FILTERS]
    _, counted = rpc.program_accounts(watch.address, filters, commitment=watch.commitment, with_data=False)
    if len(counted) > MOST_ACCOUNTS:
        raise TooManyAccounts(watch, len(counted))
    slot, found = rpc.program_accounts(watch.address, filters, commitment=watch.commitment)
    return slot, _chosen(watch, found)


def samples(
    subscription_id: int, slot: int, found: Mapping[str, AccountSample], *, catch_up: bool = False
) -> list[Sample]:
    """What the answer says about every account that the subscription knows or should know. Reads the database."""
    now_s = time.time()
    missing = [address for address in states.addresses_of(subscription_id) if address not in found]
    everything = {**dict.fromkeys(missing, AccountSample.of(slot, 0, SYSTEM_PROGRAM, b"")), **found}
    return [
        Sample(subscription_id, address, state, now_s, catch_up=catch_up, live=False)
        for address, state in everything.items()
    ]


class ProgramReader:
    """Catches up with one program after the other, a few at a time, until each is done. On the event loop."""

    def __init__(
        self, rpc: AsyncRpcClient, database: Database, on_read: Callable[[Read, Sequence[Observation], int], None]
    ) -> None:
        self._rpc = rpc
        self._database = database
        self._on_read = on_read
        self._gate = asyncio.Semaphore(PROGRAMS_AT_ONCE)
        self._waiting: dict[int, Read] = {}
        self._requests: asyncio.Queue[int] = asyncio.Queue()

    def __len__(self) -> int:
        return len(self._waiting)

    def request(self, read: Read) -> None:
        """Catch up with this program soon; a later request for the same one replaces it."""
        is_waiting = read.subscription_id in self._waiting
        self._waiting[read.subscription_id] = read
        if not is_waiting:
            self._requests.put_nowait(read.subscription_id)

    def forget(self, subscription_id: int) -> None:
        """Nobody wants it any more."""
        self._waiting.pop(subscription_id, None)

    async def run(self) -> None:
        """Read whatever is requested, for ever; what fails is tried again after a while that grows."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                subscription_id = await self._requests.get()
                tasks.create_task(self._serve(subscription_id), name=f"program {subscription_id}")

    async def _serve(self, subscription_id: int) -> None:
        growing = waits()
        while (wanted := self._waiting.get(subscription_id)) is not None:
            try:
                async with self._gate:
                    slot, found = await self._read(wanted)
            except ChainError as error:
                # For a slot or two after the acknowledgement every node is behind.
                level = logging.DEBUG if isinstance(error, NodeBehind) else logging.WARNING
                log.log(level, "program_read_postponed", program=wanted.watch.address, reason=str(error))
                await asyncio.sleep(after(error, growing))
                continue
            if self._waiting.get(subscription_id) is wanted:
                del self._waiting[subscription_id]
                self._on_read(wanted, found, slot)

    async def _read(self, wanted: Read) -> tuple[int, list[Observation]]:
        watch, subscription_id = wanted.watch, wanted.subscription_id
        filters = watch.filters[:MOST_FILTERS]
        ask = partial(
            self._rpc.program_accounts,
            watch.address,
            filters,
            commitment=wanted.commitment,
            min_context_slot=wanted.min_slot,
        )
        slot, counted = await ask(with_data=False)
        if len(counted) > MOST_ACCOUNTS:
            problem = TooManyAccounts(watch, len(counted))
            log.error("gap_lost", program=watch.address, reason=str(problem))
            return slot, [CaughtUp(subscription_id, slot, f"{problem.count} accounts, more than {MOST_ACCOUNTS}")]
        slot, found = await ask()
        chosen = _chosen(watch, found)
        known = await self._database.run(samples, subscription_id, slot, chosen, catch_up=True)
        return slot, [*known, CaughtUp(subscription_id, slot)]


def _chosen(watch: Watch, found: dict[str, AccountSample]) -> dict[str, AccountSample]:
    return {address: state for address, state in found.items() if watch.chooses(state.owner, state.data or b"")}
