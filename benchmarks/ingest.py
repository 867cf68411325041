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
import resource
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

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


async def listen(flood: subprocess.Popen[str], notifications: int, is_done: Callable[[], bool]) -> float:
    """Run a listener through the flood; seconds from its first frame to the last committed row."""
    from listener import runner
    from listener.database import Database

    database, stop = Database(), asyncio.Event()
    rpc = runner.AsyncRpcClient(runner.settings.SOLANA_RPC_URLS)
    parts = runner.parts(database, rpc, await database.run(runner.gateway().genesis_hash))
    listening = asyncio.create_task(runner.listen(parts, stop))
    await asyncio.to_thread(wait_for, lambda: parts.coverage.covered == len(parts.registry) > 0, 60, "the listener")
    await parts.mailbox.settled()
    started_s = time.perf_counter()
    assert flood.stdin is not None
    flood.stdin.write("go\n")
    flood.stdin.flush()
    await asyncio.to_thread(wait_for, is_done, 600, "the last notification")
    await parts.mailbox.settled()
    seconds = time.perf_counter() - started_s
    stop.set()
    await listening
    await rpc.close()
    await database.close()
    return seconds


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
        cpu_s = resource.getrusage(resource.RUSAGE_SELF)
        wanted = counted + notifications
        seconds = asyncio.run(listen(flood, notifications, lambda: metrics.OBSERVATIONS._value.get() >= wanted))
        used = resource.getrusage(resource.RUSAGE_SELF)
        flood.kill()
    executions = Execution.objects.count() - before
    cpu = used.ru_utime + used.ru_stime - cpu_s.ru_utime - cpu_s.ru_stime
    print(
        f"{kind:<11} {notifications / seconds:9,.0f} notifications/s   {executions:7,} executions   "
        f"{seconds:5.1f} s, listener's CPU {cpu:5.1f} s"
    )
    stages.report(seconds)
    connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notifications", type=int, default=50_000)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--stages", action="store_true", help="measure where the time goes (slower)")
    options = parser.parse_args()
    global STAGES
    STAGES = options.stages
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with servers(ws_url=f"ws://127.0.0.1:{port}"):
        for kind in ("matching", "too small", "other logs"):
            run(kind, port, options.notifications, options.accounts)


STAGES = False

if __name__ == "__main__":
    main()
