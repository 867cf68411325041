"""kombu's Redis channels: one client for each instead of one a command, and an end that a worker survives.

kombu 5.7 builds a new `redis.Redis` for every publish and every acknowledgement, which is a third of what a small task
costs. The client holds no connection of its own (the pool does), so keeping it changes nothing but the price.
https://github.com/celery/kombu/blob/v5.7.0/kombu/transport/redis.py (`Channel._create_client`)

When Redis goes away, Celery closes the worker's connection twice. What the second time wants to put back of unfinished
messages finds a connection without parameters: an AttributeError, which nobody expects there, and the worker ends. As a
connection error it is what Celery waits for, and the worker connects anew when Redis is back.
"""

from __future__ import annotations

from typing import Any

from kombu.transport.redis import Channel
from redis.exceptions import ConnectionError as RedisConnectionError

_create_client = Channel._create_client


def _kept_client(self: Channel, asynchronous: bool = False) -> Any:
    if self.connection is None or self.connection.client is None:
        raise RedisConnectionError("this connection to the broker has been given up")
    pool = self.async_pool if asynchronous else self.pool
    kept = self.__dict__.setdefault("_kept_clients", {})
    client = kept.get(asynchronous)
    # A channel that reconnects gets a new pool.
    if client is None or client.connection_pool is not pool:
        client = kept[asynchronous] = _create_client(self, asynchronous)
    return client


def keep() -> None:
    """Make kombu do so; again, it changes nothing."""
    Channel._create_client = _kept_client  # type: ignore[method-assign]
