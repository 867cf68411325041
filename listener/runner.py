"""The listener process: its parts, their tasks, its end.

    connections ──► coverage ──► mailboxes ──► writers (threads) ──► PostgreSQL
                      ▲   ▲                     │
        sampler, read-back └──── doubtful ──────┘ stale: reload

Every task has a name. One that dies takes the process with it: what it had not committed is read back by the next one.
A stop closes the sockets, writes what has come in, and leaves the checkpoints behind what was written.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
import uvloop
from django.conf import settings

from chain.errors import ChainError
from chain.rpc.aio import AsyncRpcClient
from chain.rpc.pool import backoff
from executions import tallies, timing
from executions.gateway import gateway
from listener import heartbeat, metrics
from listener.coverage import Coverage
from listener.database import Database
from listener.ingest import Recorded
from listener.mailboxes import Mailboxes
from listener.pool import Pools
from listener.registry import Registry
from listener.reload import Reloader
from listener.shards import shard_of
from listener.writer import Writer

log = structlog.get_logger(__name__)

# What comes with a notification lives for milliseconds and is in no cycle; by Python's own thresholds the collector
# looks through everything alive for it, thousands of workflows included, many times a second in a flood.
GARBAGE_THRESHOLDS = (50_000, 20, 20)

HEARTBEAT_S = 5.0
PROBE_S = 30.0
CHECKPOINT_S = 5.0
CHECK_ALL_S = 60.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a listener is made of."""

    registry: Registry
    mailbox: Mailboxes
    database: Database
    rpc: AsyncRpcClient
    coverage: Coverage
    pool: Pools
    reloader: Reloader
    writers: tuple[Writer, ...]


def main() -> None:
    """Listen until SIGTERM or SIGINT.

    Raises:
        WrongChain: (in an ExceptionGroup, or executions.gateway's) the endpoints belong to another chain.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main())


async def _main() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = Database()
    rpc = AsyncRpcClient(settings.SOLANA_RPC_URLS, timeout_s=settings.SOLANA_RPC_TIMEOUT_S)
    try:
        genesis_hash = await _until(stop, _genesis_hash(database))
        if genesis_hash is not None:
            await listen(parts(database, rpc, genesis_hash), stop)
    finally:
        await rpc.close()
        await database.close()


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, str]) -> str | None:
    """What `work` returns, or None when the process is told to stop before."""
    stopping, working = asyncio.create_task(stop.wait()), asyncio.create_task(work)
    await asyncio.wait({stopping, working}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    working.cancel()
    return None


async def _genesis_hash(database: Database) -> str:
    """The chain's identity, as soon as an endpoint answers; it has to be the one in the database."""
    waits = backoff()
    while True:
        try:
            return await database.run(gateway().genesis_hash)
        except ChainError as error:
            log.warning("rpc_unreachable", reason=str(error))
            await asyncio.sleep(next(waits))


def parts(database: Database, rpc: AsyncRpcClient, genesis_hash: str) -> Parts:
    """A listener of this process's settings, put together. Inside its event loop."""
    loop = asyncio.get_running_loop()
    shards = settings.LISTENER_SHARDS
    registry = Registry(lambda digest: shard_of(digest, shards) == settings.LISTENER_SHARD)
    mailbox = Mailboxes(loop)
    coverage = Coverage(
        registry=registry,
        mailbox=mailbox,
        database=database,
        rpc=rpc,
        genesis_hash=genesis_hash,
        most_signatures=settings.READ_BACK_MAX_SIGNATURES,
        is_redundant=settings.LISTENER_ENDPOINTS_AT_ONCE > 1,
    )
    pool = Pools(settings.SOLANA_WS_URLS, coverage, at_once=settings.LISTENER_ENDPOINTS_AT_ONCE)
    reloader = Reloader(
        registry=registry,
        pool=pool,
        coverage=coverage,
        database=database,
        direct_url=settings.DATABASE_DIRECT_URL,
    )

    def recorded(outcome: Recorded) -> None:
        if outcome.doubtful:
            loop.call_soon_threadsafe(coverage.doubt, outcome.doubtful)
        if outcome.is_stale:
            loop.call_soon_threadsafe(reloader.refresh)

    writers = tuple(Writer(box, registry.audience, recorded) for box in mailbox.each)
    return Parts(registry, mailbox, database, rpc, coverage, pool, reloader, writers)


async def listen(parts: Parts, stop: asyncio.Event) -> None:
    """Run it until `stop` is set and everything that has come in is written."""
    row_name = heartbeat.name(settings.LISTENER_SHARD)
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    threads = ThreadPoolExecutor(max_workers=len(parts.writers), thread_name_prefix="ingest")
    try:
        async with asyncio.TaskGroup() as group:
            writing = [group.create_task(_write(threads, writer), name="ingest") for writer in parts.writers]
            sides = [group.create_task(work, name=name) for name, work in _tasks(parts, row_name).items()]
            await stop.wait()
            log.info("stopping", queue=len(parts.mailbox))
            for task in sides:
                task.cancel()
            await asyncio.wait(sides)
            parts.mailbox.close()
            await asyncio.wait(writing)
    finally:
        parts.mailbox.close()
        threads.shutdown()
    await parts.database.run(heartbeat.stop, row_name)


async def _write(threads: ThreadPoolExecutor, writer: Writer) -> None:
    await asyncio.get_running_loop().run_in_executor(threads, writer.run)


def _tasks(parts: Parts, row_name: str) -> dict[str, Coroutine[Any, Any, None]]:
    """The tasks that go on for ever, by name. The pool starts before the reloader opens subscriptions in it."""
    return {
        "pool": parts.pool.run(),
        "coverage": parts.coverage.run(),
        "sampler": parts.coverage.sampler.run(),
        "programs": parts.coverage.programs.run(),
        "balances": parts.coverage.balances.run(),
        "fetching": parts.coverage.fetching.run(),
        "read-back": parts.coverage.read_back.run(),
        "announcements": parts.reloader.listen(),
        "reload": parts.reloader.run(),
        "checkpoints": _every(CHECKPOINT_S, parts.coverage.note_seen),
        "check all": _every(CHECK_ALL_S, parts.coverage.check_all),
        "probe": _probe(parts.rpc),
        "heartbeat": _beat(parts, row_name),
    }


async def _every(seconds: float, work: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(timing.scaled(seconds))
        work()


async def _probe(rpc: AsyncRpcClient) -> None:
    """Ask all endpoints for their slots, so that one that lags behind is known before it is needed."""
    while len(rpc.endpoints()) > 1:
        await rpc.health()
        await asyncio.sleep(timing.scaled(PROBE_S))


async def _beat(parts: Parts, row_name: str) -> None:
    while True:
        metrics.QUEUE.set(len(parts.mailbox))
        shown = heartbeat.detail(
            shard=settings.LISTENER_SHARD,
            shards=settings.LISTENER_SHARDS,
            connections=[connection.health() for connection in parts.pool.connections],
            endpoints=parts.rpc.endpoints(),
            subscriptions=len(parts.registry),
            covered=parts.coverage.covered,
            queue=len(parts.mailbox),
            reading=len(parts.coverage.sampler) + len(parts.coverage.programs),
            fetching=len(parts.coverage.fetching),
            transactions_fetched=metrics.fetched(),
            reading_back=len(parts.coverage.read_back) + len(parts.coverage.balances),
        )
        await parts.database.run(heartbeat.beat, row_name, shown)
        await parts.database.run(tallies.flush)
        await asyncio.sleep(timing.scaled(HEARTBEAT_S))
