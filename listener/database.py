"""The event loop's way to the database: one thread with one connection, and patience while the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

from chain.rpc.pool import backoff

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Database:
    """Runs functions that use the ORM, one after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="listener-database")

    async def run(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """What `work` returns. While the database cannot be reached it is tried again: make it repeatable."""
        waits = backoff()
        while True:
            try:
                return await self._once(work, *args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                log.warning("database_unreachable", work=work.__name__, error=type(error).__name__)
                await self._once(_close)
                await asyncio.sleep(next(waits))

    async def _once(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args, **kwargs))

    async def close(self) -> None:
        """Close connection and thread."""
        await self._once(_close)
        self._thread.shutdown(wait=False)


def _close() -> None:
    # The name is looked up in the thread that calls this: each has a connection of its own.
    connection.close()
