"""The listener's WebSockets: cut, silent, and telling it wrong, twice or in the wrong order."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Self

from tests.chaos.faults.base import Blow
from tests.chaos.world import World

NOTIFICATIONS = ["accountNotification", "logsNotification"]


@dataclass(frozen=True, slots=True)
class SocketsCut(Blow):
    """All at once."""

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls()

    def strike(self, world: World) -> None:
        world.chain.drop_sockets()


@dataclass(frozen=True, slots=True)
class SocketsSilent:
    """Open, and nothing comes."""

    hold_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls(rng.uniform(1, 9))

    def strike(self, world: World) -> None:
        world.chain.faults(stall_sockets={})

    def heal(self, world: World) -> None:
        world.chain.clear_faults("stall_sockets")


@dataclass(frozen=True, slots=True)
class FramesFaulted:
    """Some notifications come twice, late, cut short, or with another bank's slot."""

    kind: str
    settings: dict[str, Any]
    hold_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        kind = rng.choice(["duplicate", "reorder", "malformed", "slot_offset"])
        settings: dict[str, Any] = {"methods": NOTIFICATIONS, "seed": rng.randrange(2**32)}
        settings["probability"] = 0.02 if kind == "malformed" else rng.uniform(0.1, 0.6)
        if kind == "slot_offset":
            settings["slots"] = rng.choice([-2, -1, 1, 2])
        return cls(kind, settings, rng.uniform(3, 12))

    def strike(self, world: World) -> None:
        world.chain.faults(**{self.kind: self.settings})

    def heal(self, world: World) -> None:
        world.chain.clear_faults(self.kind)
