"""kill -9 of SolFlow's processes at random moments and at named points; more of them than there should be."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from signal import SIGKILL, SIGQUIT, SIGTERM, Signals
from typing import Any, Self

from executions.crashpoints import LISTENER_POINTS, WORKER_POINTS
from tests.chaos.faults.base import Blow
from tests.chaos.world import World
from tests.processes import ManagedProcess


@dataclass(frozen=True, slots=True)
class Killed(Blow):
    """kill -9 at a moment that nobody chose."""

    name: str
    down_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls(rng.choice(["worker", "worker", "listener", "listener", "beat", "web"]), rng.uniform(0.2, 3))

    def strike(self, world: World) -> None:
        world.take_down(self.name, SIGKILL, down_s=self.down_s)


@dataclass(frozen=True, slots=True)
class Stopped(Blow):
    """Asked to end, as a deploy does."""

    name: str
    signal: Signals
    down_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        name, signal = rng.choice([("worker", SIGTERM), ("worker", SIGQUIT), ("listener", SIGTERM), ("web", SIGTERM)])
        return cls(name, signal, rng.uniform(2, 5))

    def strike(self, world: World) -> None:
        world.take_down(self.name, self.signal, down_s=self.down_s)


@dataclass(frozen=True, slots=True)
class CrashesAtPoint(Blow):
    """Killed now, and once more when it first (or some time later) comes to a named step of its work."""

    name: str
    point: str
    arrival: int

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        name = rng.choice(["worker", "worker", "worker", "listener"])
        points = sorted(WORKER_POINTS if name == "worker" else LISTENER_POINTS)
        return cls(name, rng.choice(points), rng.choice([1, 1, 2, 5]))

    def strike(self, world: World) -> None:
        world.take_down(self.name, SOLFLOW_CRASH_AT=f"{self.point}:{self.arrival}")


@dataclass(slots=True)
class Doubled:
    """A second listener for the same shard, or a second beat, for a while."""

    name: str
    hold_s: float
    _second: ManagedProcess | None = field(default=None, repr=False)

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls(rng.choice(["listener", "beat", "worker"]), rng.uniform(10, 25))

    def strike(self, world: World) -> None:
        more: dict[str, Any] = {
            "listener": world.stack.another_listener,
            "beat": world.stack.another_beat,
            "worker": world.stack.another_worker,
        }
        self._second = more[self.name]()
        world.add(self._second)

    def heal(self, world: World) -> None:
        if self._second is not None:
            world.remove(self._second)
