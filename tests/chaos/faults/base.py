"""What a fault is: drawn from a seed, struck, held for a while, healed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol, Self

from tests.chaos.world import World


class Fault(Protocol):
    """One trouble with its figures. `hold_s` is how long it lasts; `heal` is called after that, whatever happened."""

    hold_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        """One with figures from `rng` alone, so that a seed is a schedule."""
        ...

    def strike(self, world: World) -> None: ...

    def heal(self, world: World) -> None: ...


@dataclass(frozen=True, slots=True)
class Blow:
    """A fault that is over when it has struck."""

    hold_s = 0.0

    def heal(self, world: World) -> None:
        """What died is started again by `World.tend`."""
