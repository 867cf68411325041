"""Keeps the registry up with the workflows: by notification within milliseconds, by a full look every ten seconds."""

from __future__ import annotations

import asyncio
from uuid import UUID

import psycopg
import structlog

from chain.rpc.pool import backoff
from executions import timing
from listener import gaps
from listener.coverage import Coverage
from listener.database import Database
from listener.loading import load
from listener.pool import Pools
from listener.registry import Audience, Diff, Registry

log = structlog.get_logger(__name__)

CHANNEL = "solflow_workflows"
FULL_LOOK_S = 10.0


class Reloader:
    """Applies what changed to the registry, and the difference to the sockets."""

    def __init__(
        self, *, registry: Registry, pool: Pools, coverage: Coverage, database: Database, direct_url: str
    ) -> None:
        self._registry = registry
        self._pool = pool
        self._coverage = coverage
        self._database = database
        self._direct_url = direct_url
        self._changed: set[UUID] = set()
        self._everything = True
        self._has_news = asyncio.Event()
        self._is_first = True

    def refresh(self) -> None:
        """Something is not as we thought: look at everything soon."""
        self._everything = True
        self._has_news.set()

    async def run(self) -> None:
        """Load everything, then what is announced; everything again after ten seconds."""
        while True:
            scope = None if self._everything else self._changed
            self._everything, self._changed = False, set()
            self._has_news.clear()
            if scope is None or scope:
                await self._look(scope)
            try:
                async with asyncio.timeout(timing.scaled(FULL_LOOK_S)):
                    await self._has_news.wait()
            except TimeoutError:
                self._everything = True

    async def listen(self) -> None:
        """Hear the announcements of committed changes. What was said while nobody listened is found by a full look."""
        waits = backoff()
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._direct_url, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self.refresh()
                    waits = backoff()
                    async for notification in connection.notifies():
                        self._announced(notification.payload)
            except psycopg.OperationalError as error:
                log.warning("announcements_unheard", error=type(error).__name__)
            await asyncio.sleep(next(waits))

    def _announced(self, payload: str) -> None:
        try:
            self._changed.add(UUID(payload))
        except ValueError:
            self._everything = True
        self._has_news.set()

    async def _look(self, scope: set[UUID] | None) -> None:
        loaded = await self._database.run(load, self._registry.known, scope)
        before = {audience.subscription_id: audience for audience in self._registry.audiences()}
        await self._apply(self._registry.apply(loaded.wanted, loaded.rows, scope), before)
        self._is_first = False

    async def _apply(self, diff: Diff, before: dict[int, Audience]) -> None:
        if diff.removed:
            self._pool.close(diff.removed)
            self._coverage.forget(diff.removed)
        wants = {}
        for subscription_id in diff.added:
            audience = self._registry.audience(subscription_id)
            if audience is not None:
                wants[subscription_id] = audience.watch
                self._coverage.watch(subscription_id, audience.watch, is_new=not self._is_first)
        self._pool.open(wants)
        for subscription_id in diff.joined:
            self._coverage.joined(subscription_id)
        if diff.added or diff.removed:
            log.info("subscriptions_changed", added=len(diff.added), removed=len(diff.removed), all=len(self._registry))
        if diff.removed:
            await self._database.run(gaps.close_unwanted, [before[key] for key in diff.removed])
