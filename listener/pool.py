"""Subscriptions over connections: providers limit how many one socket may carry, so there are as many as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import count

from listener.connection import Connection, Events
from listener.watches import Watch

# Providers allow from 100 to 50 000; a socket that dies takes this many with it.
SUBSCRIPTIONS_PER_CONNECTION = 500


class Pool:
    """Opens connections when the others are full and ends those that carry nothing, but for one: its slots are the
    sign of life of a listener that has nothing to watch."""

    def __init__(
        self, urls: Sequence[str], events: Events, *, subscriptions_per_connection: int = SUBSCRIPTIONS_PER_CONNECTION
    ) -> None:
        self._urls = tuple(urls)
        self._events = events
        self._most = subscriptions_per_connection
        self._carrier: dict[int, Connection] = {}
        self._tasks: dict[Connection, asyncio.Task[None]] = {}
        self._numbers = count(1)
        self._group: asyncio.TaskGroup | None = None

    @property
    def connections(self) -> list[Connection]:
        """All of them, whether their socket is open at the moment or not."""
        return list(self._tasks)

    async def run(self) -> None:
        """Own the connections until cancelled; an unforeseen error in one of them ends all."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._add()
            await asyncio.Event().wait()

    def open(self, wants: Mapping[int, Watch]) -> None:
        """Subscribe to these; those that are carried already stay where they are."""
        waiting = [(key, watch) for key, watch in wants.items() if key not in self._carrier]
        while waiting:
            connection = min(self._tasks, key=len, default=None)
            if connection is None or len(connection) >= self._most:
                connection = self._add()
            room = self._most - len(connection)
            batch, waiting = dict(waiting[:room]), waiting[room:]
            self._carrier |= dict.fromkeys(batch, connection)
            connection.open(batch)

    def close(self, subscription_ids: Sequence[int]) -> None:
        """Unsubscribe from these."""
        for subscription_id in subscription_ids:
            connection = self._carrier.pop(subscription_id, None)
            if connection is None:
                continue
            connection.close(subscription_id)
            if not len(connection) and len(self._tasks) > 1:
                self._tasks.pop(connection).cancel()

    def _add(self) -> Connection:
        if self._group is None:
            raise RuntimeError("the pool is not running")
        connection = Connection(self._urls, self._events)
        name = f"connection {next(self._numbers)}"
        self._tasks[connection] = self._group.create_task(connection.run(), name=name)
        return connection
