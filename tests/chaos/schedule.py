"""Which fault strikes when: drawn from a seed before the run begins. Lanes of different kinds go side by side."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connections
from requests import RequestException

from tests.chaos.faults.base import Fault
from tests.chaos.faults.people import Paused, ReceiverFails
from tests.chaos.faults.processes import CrashesAtPoint, Doubled, Killed, Stopped
from tests.chaos.faults.rpc import AnswersFaulted, Forgets, LostAndExpired
from tests.chaos.faults.sockets import FramesFaulted, SocketsCut, SocketsSilent
from tests.chaos.faults.stores import PostgresStopped, RedisFlushed, RedisLost, RedisStopped
from tests.chaos.report import say
from tests.chaos.world import World

# In each lane one fault at a time; after it so many seconds (least, most) without one.
LANES: dict[str, tuple[tuple[type[Fault], ...], tuple[float, float]]] = {
    "processes": ((Killed, Killed, CrashesAtPoint, CrashesAtPoint, CrashesAtPoint, Stopped, Doubled), (6, 16)),
    "stores": ((PostgresStopped, RedisStopped, RedisLost, RedisFlushed), (12, 30)),
    "sockets": ((SocketsCut, SocketsSilent, FramesFaulted, FramesFaulted), (4, 12)),
    "rpc": ((AnswersFaulted, AnswersFaulted, AnswersFaulted, Forgets, LostAndExpired), (3, 10)),
    "people": ((ReceiverFails, ReceiverFails, Paused), (6, 15)),
}
FAULTS = {fault.__name__: fault for faults, _ in LANES.values() for fault in faults}


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault and when it strikes, in seconds from the beginning."""

    at_s: float
    lane: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.at_s:6.1f} s  {self.lane:9}  {self.fault!r}"


def draw(seed: int, duration_s: float, chosen: Collection[str]) -> list[Planned]:
    """The faults of a run, by time. `chosen` are names of faults or lanes; all where it is empty.

    Each lane has a sequence of its own, so that leaving one out changes nothing in the others.
    """
    planned = [one for lane in LANES for one in _lane(lane, seed, duration_s, chosen)]
    return sorted(planned, key=lambda one: one.at_s)


def _lane(lane: str, seed: int, duration_s: float, chosen: Collection[str]) -> list[Planned]:
    faults, (least_s, most_s) = LANES[lane]
    wanted = [one for one in faults if not chosen or lane in chosen or one.__name__ in chosen]
    rng = random.Random(f"{seed} {lane}")
    planned: list[Planned] = []
    at_s = rng.uniform(1, most_s)
    while wanted:
        fault = rng.choice(wanted).draw(rng)
        if at_s + fault.hold_s > duration_s:
            break
        planned.append(Planned(at_s, lane, fault))
        at_s += fault.hold_s + rng.uniform(least_s, most_s)
    return planned


class Strikes:
    """The threads that carry a schedule out, one for each lane."""

    def __init__(self, world: World, planned: list[Planned]) -> None:
        self._world = world
        self.broken: list[str] = []
        lanes = {one.lane: [other for other in planned if other.lane == one.lane] for one in planned}
        self._threads = [threading.Thread(target=self._run, args=(lane,), name="chaos") for lane in lanes.values()]

    def start(self) -> None:
        self._began_s = time.monotonic()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until every fault is healed. The run must go on tending the processes meanwhile."""
        for thread in self._threads:
            thread.join()

    @property
    def under_way(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _run(self, lane: list[Planned]) -> None:
        for one in lane:
            if self._world.quiet.wait(max(0.0, self._began_s + one.at_s - time.monotonic())):
                break
            say(f"  {time.monotonic() - self._began_s:6.1f} s  {one.fault!r}")
            try:
                one.fault.strike(self._world)
                self._world.quiet.wait(one.fault.hold_s)
            except RequestException as error:
                self.broken.append(f"{one}: {error!r}")
            finally:
                one.fault.heal(self._world)
        connections.close_all()
