"""What open tabs cost the web process: python -m benchmarks.tabs [--tabs 100] [--seconds 10]

A real web process with so many open streams, first idle, then with a change as often as all of them hear one. It
prints memory, processor time and database connections, and how long a change takes to the last tab. Exits with 1 where
a tab costs more than MOST_KB, or the streams keep database connections.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.processes import database_connections
from benchmarks.servers import servers
from tests.processes import ManagedProcess

MOST_KB = 500
MOST_CONNECTIONS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tabs", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    with servers(), tempfile.TemporaryDirectory() as folder:
        from solflow import parts
        from solflow.probes import answers_ok
        from tests.stack import free_port

        port = free_port()
        web = ManagedProcess(
            name="web",
            command=lambda: parts.web(port),
            environment=dict(os.environ),
            log=Path(folder) / "web.log",
            is_ready=lambda _: answers_ok(f"http://127.0.0.1:{port}/healthz"),
        )
        web.start()
        try:
            cookie, row_id = prepare()
            cheap = asyncio.run(measure(port, web.pid, cookie, row_id, options.tabs, options.seconds))
        finally:
            web.kill()
    sys.exit(0 if cheap else 1)


def prepare() -> tuple[str, int]:
    """A signed-in admin's cookie, and the row of an execution to change."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from accounts.actors import system
    from accounts.services import default_team, user_ensure
    from tests.executing import balance_event, new_address, take_events
    from workflows.services import workflow_create, workflow_enable

    user_ensure(username="admin", password="correct horse battery staple")
    client = Client()
    client.force_login(get_user_model().objects.get(username="admin"))
    actor = system(default_team(), "bench")
    definition = {"schema": 1, "trigger": {"type": "balance_change", "address": new_address()}, "actions": []}
    made = workflow_create(actor=actor, definition=definition, settings={"name": "Watch"}, signer_id=None)
    workflow = workflow_enable(actor=actor, workflow=made, enabled_at_slot=1)
    (row_id,) = take_events(workflow, [balance_event(new_address(), 7)])
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}", row_id


class Tab:
    """One stream, and when it last heard of a change."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.heard = 0
        self.heard_at = 0.0
        self._news = asyncio.Condition()

    @classmethod
    async def open(cls, port: int, cookie: str) -> Tab:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = [
            "GET /events/stream?topics=executions HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            f"Cookie: {cookie}",
            "",
            "",
        ]
        writer.write("\r\n".join(asked).encode())
        status = await reader.readline()
        assert b"200" in status, status
        return cls(reader, writer)

    async def follow(self) -> None:
        while line := await self.reader.readline():
            if line.startswith(b"event: changed"):
                async with self._news:
                    self.heard += 1
                    self.heard_at = time.monotonic()
                    self._news.notify_all()

    async def hears_more_than(self, count: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self.heard > count)


async def measure(port: int, pid: int, cookie: str, row_id: int, count: int, seconds: int) -> bool:
    from executions import live
    from solflow.live.streams import SPACING_OF_A_PAGE_S

    process = psutil.Process(pid)
    first = await Tab.open(port, cookie)
    await asyncio.sleep(1)
    empty_kb = process.memory_info().rss // 1024
    tabs = [first, *(await asyncio.gather(*(Tab.open(port, cookie) for _ in range(count - 1))))]
    reading = [asyncio.create_task(tab.follow()) for tab in tabs]
    await asyncio.sleep(2)
    each_kb = (process.memory_info().rss // 1024 - empty_kb) / count
    connections = await asyncio.to_thread(database_connections)
    print(f"{count} tabs: {each_kb:.0f} KB each, {process.num_threads()} threads, {connections} database connections")
    idle = await processor_share(process, asyncio.sleep(seconds))
    print(f"idle: {idle:.1%} of a processor")
    delays: list[float] = []
    pause_s = 0.1 + max(1.0, SPACING_OF_A_PAGE_S * count)

    async def change() -> None:
        for _ in range(max(3, round(seconds / pause_s))):
            told_at = time.monotonic()
            before = [tab.heard for tab in tabs]
            await asyncio.to_thread(live.tell, [row_id])
            await asyncio.gather(*(tab.hears_more_than(had) for tab, had in zip(tabs, before, strict=True)))
            delays.append(max(tab.heard_at for tab in tabs) - told_at)
            await asyncio.sleep(max(0.0, pause_s - (time.monotonic() - told_at)))

    busy = await processor_share(process, change())
    median_s = sorted(delays)[len(delays) // 2]
    print(f"a change every {pause_s:.1f} s: {busy:.1%} of a processor, {median_s:.2f} s to the last tab")
    for task in reading:
        task.cancel()
    return each_kb <= MOST_KB and connections <= MOST_CONNECTIONS


async def processor_share(process: psutil.Process, during: Any) -> float:
    before, started = process.cpu_times(), time.monotonic()
    await during
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / (time.monotonic() - started)


if __name__ == "__main__":
    main()
