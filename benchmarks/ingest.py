"""Notifications a second from the socket to committed rows, and where the time goes.

    python -m benchmarks.ingest [--notifications 50000] [--accounts 200]

A server floods a real listener's socket; PostgreSQL has its default durability. Three loads:

    matching    each notification is a balance change that runs one workflow
    too small   each is a balance change (the row moves) that no workflow wants
    other logs  each is a transaction whose log no workflow's pattern matches
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

import uvloop

from benchmarks import cpu
from benchmarks.figures import tell
from benchmarks.flood import PROGRAM
from benchmarks.servers import servers
from tests.waiting import wait_for


class Stages:
    """Seconds spent in named functions, by wrapping them; each pays about a microsecond a call."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def measure(self, owner: Any, function: str, name: str) -> None:
        work: Callable[..., Any] = getattr(owner, function)

        @wraps(work)
        def timed(*args: Any, **kwargs: Any) -> Any:
            started_s = time.perf_counter()
            try:
                return work(*args, **kwargs)
            finally:
                self.seconds[name] += time.perf_counter() - started_s

        setattr(owner, function, timed)

    def report(self, wall_s: float) -> None:
        for name, seconds in sorted(self.seconds.items(), key=lambda item: -item[1]):
            print(f"    {name:<34} {seconds:7.2f} s   {100 * seconds / wall_s:5.1f} %")


def instrument() -> Stages:
    from django.db.backends.postgresql.base import DatabaseWrapper

    from executions import dispatch, intake
    from listener import audiences, checkpoints, ingest, states, writer
    from listener.protocol import Protocol

    stages = Stages()
    stages.measure(Protocol, "receive", "loop: parse frames")
    stages.measure(writer, "record", "ingest: whole transaction")
    stages.measure(states, "_lock", "ingest: lock state rows")
    stages.measure(states, "_write", "ingest: write state rows")
    stages.measure(audiences, "current", "ingest: check audiences")
    stages.measure(ingest, "_find", "ingest: match")
    stages.measure(intake, "take", "ingest: keys and executions")
    stages.measure(checkpoints, "advance", "ingest: checkpoints")
    stages.measure(DatabaseWrapper, "_commit", "ingest: COMMIT")
    stages.measure(dispatch, "wake", "ingest: wake workers")
    return stages


def make_workflows(kind: str, accounts: int) -> None:
    from solders.keypair import Keypair

    from listener.services import workflow_enable
    from tests.watching import actor, workflow

    for _ in range(accounts):
        address = str(Keypair().pubkey())
        trigger: dict[str, Any] = {"type": "balance_change", "address": address}
        if kind == "too small":
            trigger["min_change"] = 2**60
        if kind == "other logs":
            trigger = {"type": "program_log", "program_id": PROGRAM, "pattern": "^liquidated"}
        workflow_enable(actor=actor(), workflow=workflow(trigger))
        if kind == "other logs":
            return


async def listen(flood: subprocess.Popen[str], is_done: Callable[[], bool]) -> tuple[float, dict[str, float]]:
    """Run a listener through the flood; seconds from its first frame to the last committed row, and CPU seconds."""
    from listener import runner
    from listener.database import Database

    database, stop = Database(), asyncio.Event()
    rpc = runner.AsyncRpcClient(runner.settings.SOLANA_RPC_URLS)
    parts = runner.parts(database, rpc, await database.run(runner.gateway().genesis_hash))
    listening = asyncio.create_task(runner.listen(parts, stop))
    await asyncio.to_thread(wait_for, lambda: parts.coverage.covered == len(parts.registry) > 0, 60, "the listener")
    await parts.mailbox.settled()
    started_s, before_s = time.perf_counter(), cpu.used()
    assert flood.stdin is not None
    flood.stdin.write("go\n")
    flood.stdin.flush()
    await asyncio.to_thread(wait_for, is_done, 600, "the last notification")
    await parts.mailbox.settled()
    seconds, used_s = time.perf_counter() - started_s, cpu.since(before_s)
    stop.set()
    await listening
    await rpc.close()
    await database.close()
    return seconds, used_s


def run(kind: str, port: int, notifications: int, accounts: int) -> None:
    from django.db import connection

    from executions.models import Execution
    from listener import metrics
    from workflows.models import Workflow

    Workflow.objects.update(enabled=False)
    make_workflows(kind, accounts)
    before, counted = Execution.objects.count(), metrics.OBSERVATIONS._value.get()
    flood_kind = "logs" if kind == "other logs" else "account"
    subscriptions = 1 if kind == "other logs" else accounts
    command = [sys.executable, "-m", "benchmarks.flood", str(port), str(subscriptions), str(notifications), flood_kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as flood:
        assert flood.stdout is not None
        flood.stdout.readline()
        stages = instrument() if STAGES else Stages()
        wanted = counted + notifications
        seconds, used_s = uvloop.run(listen(flood, lambda: metrics.OBSERVATIONS._value.get() >= wanted))
        flood.kill()
    executions = Execution.objects.count() - before
    print(
        f"{kind:<11} {notifications / seconds:9,.0f} notifications/s   {executions:7,} executions   {seconds:5.1f} s   "
        f"CPU a notification: listener {_us(used_s, 'self', notifications)}, "
        f"PostgreSQL {_us(used_s, 'postgres', notifications)}, flood {_us(used_s, 'benchmarks.flood', notifications)}"
    )
    tell(f"ingest, {kind}", f"{notifications / seconds:,.0f} notifications/s")
    stages.report(seconds)
    connection.close()


def _us(used_s: dict[str, float], name: str, notifications: int) -> str:
    return f"{1e6 * used_s.get(name, 0.0) / notifications:.0f} us"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notifications", type=int, default=50_000)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--kinds", default=",".join(KINDS), help="which loads, by name, with commas")
    parser.add_argument("--stages", action="store_true", help="measure where the time goes (slower)")
    options = parser.parse_args()
    global STAGES
    STAGES = options.stages
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with servers(ws_url=f"ws://127.0.0.1:{port}"):
        for kind in options.kinds.split(","):
            run(kind, port, options.notifications, options.accounts)


STAGES = False
KINDS = ("matching", "too small", "other logs")

if __name__ == "__main__":
    main()
