"""Subscriptions over connections: providers limit how many one socket may carry, so there are as many as it takes; and
over several endpoints at once, where each subscription is to survive the loss of one without a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import count

from executions import timing
from listener.connection import Connection, Events
from listener.watches import Watch

# Providers allow from 100 to 50 000; a socket that dies takes this many with it.
SUBSCRIPTIONS_PER_CONNECTION = 500
# A socket this far behind the best of them shows an endpoint that cannot keep up.
LAGGING_SLOTS = 150
LAG_CHECK_S = 5.0


class Pools:
    """As many pools as endpoints are listened to at once. `urls` are dealt out among them: two that had come to the
    same endpoint would be lost together."""

    def __init__(self, urls: Sequence[str], events: Events, *, at_once: int = 1) -> None:
        count = min(at_once, len(urls))
        self._pools = [Pool(urls[n::count], events) for n in range(count)]
        self._may_leave = len(urls) > 1

    @property
    def connections(self) -> list[Connection]:
        """Those of all pools."""
        return [connection for pool in self._pools for connection in pool.connections]

    async def run(self) -> None:
        """Own the connections until cancelled."""
        async with asyncio.TaskGroup() as group:
            for pool in self._pools:
                group.create_task(pool.run(), name="pool")
            while True:
                await asyncio.sleep(timing.scaled(LAG_CHECK_S))
                self._leave_laggards()

    def open(self, wants: Mapping[int, Watch]) -> None:
        """Subscribe to these in every pool."""
        for pool in self._pools:
            pool.open(wants)

    def close(self, subscription_ids: Sequence[int]) -> None:
        """Unsubscribe from these."""
        for pool in self._pools:
            pool.close(subscription_ids)

    def _leave_laggards(self) -> None:
        best = max((connection.slot for connection in self.connections), default=0)
        for connection in self.connections:
            if self._may_leave and connection.acknowledged and best - connection.slot > LAGGING_SLOTS:
                connection.leave(f"{best - connection.slot} slots behind the best")


class Pool:
    """Opens connections when the others are full and ends those that carry nothing, but for one: its slots are the
    sign of life of a listener that has nothing to watch."""

    def __init__(
        self, urls: Sequence[str], events: Events, *, subscriptions_per_connection: int = SUBSCRIPTIONS_PER_CONNECTION
    ) -> None:
        self._urls = tuple(urls)
        self._events = events
        self._most = subscriptions_per_connection
        self._room: dict[Connection, int] = {}
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
            connection = max(self._tasks, key=self._room_of, default=None)
            if connection is None or self._room_of(connection) <= 0:
                connection = self._add()
            room = self._room_of(connection)
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
                del self._room[connection]
                self._tasks.pop(connection).cancel()

    def _room_of(self, connection: Connection) -> int:
        return self._room[connection] - len(connection)

    def _is_full(self, connection: Connection, subscription_id: int, watch: Watch) -> None:
        """The endpoint allows fewer on one socket than we thought: this one goes to another."""
        self._room[connection] = min(self._room[connection], connection.acknowledged)
        self._carrier.pop(subscription_id, None)
        self.open({subscription_id: watch})

    def _add(self) -> Connection:
        if self._group is None:
            raise RuntimeError("the pool is not running")
        connection = Connection(self._urls, self._events, self._is_full)
        self._room[connection] = self._most
        name = f"connection {next(self._numbers)}"
        self._tasks[connection] = self._group.create_task(connection.run(), name=name)
        return connection
