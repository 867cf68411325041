"""PostgreSQL and Redis: stopped, killed, emptied."""

from __future__ import annotations

import random
from dataclasses import dataclass
from signal import SIGINT, SIGKILL, SIGQUIT, SIGTERM, Signals
from typing import Self

import redis

from tests.chaos.faults.base import Blow
from tests.chaos.world import World
from tests.environment import REDIS


@dataclass(frozen=True, slots=True)
class PostgresStopped(Blow):
    """SIGINT is its fast stop; SIGQUIT its immediate one, after which it recovers from its log."""

    signal: Signals
    down_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls(rng.choice([SIGINT, SIGQUIT]), rng.uniform(0.5, 6))

    def strike(self, world: World) -> None:
        world.take_down("postgres", self.signal, down_s=self.down_s)


@dataclass(frozen=True, slots=True)
class RedisStopped(Blow):
    """Gone for a while, with its append-only file kept."""

    signal: Signals
    down_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls(rng.choice([SIGTERM, SIGKILL]), rng.uniform(0.5, 6))

    def strike(self, world: World) -> None:
        world.take_down("redis", self.signal, down_s=self.down_s)


@dataclass(frozen=True, slots=True)
class RedisLost(Blow):
    """Killed, and an empty one comes up in its place."""

    down_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls(rng.uniform(0.2, 4))

    def strike(self, world: World) -> None:
        world.take_down("redis", SIGKILL, down_s=self.down_s, meanwhile=world.services.forget_redis)


@dataclass(frozen=True, slots=True)
class RedisFlushed(Blow):
    """Emptied while it runs."""

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls()

    def strike(self, world: World) -> None:
        with redis.Redis.from_url(REDIS.url) as client:
            client.flushall()
