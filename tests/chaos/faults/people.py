"""Receivers of messages that fail, and a person who pauses everything."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Self

from tests.chaos.people import pause_all, resume_all
from tests.chaos.world import World
from tests.http_stub import Answer

ANSWERS = {
    "limits": Answer.of_json(429, {"message": "You are being rate limited.", "retry_after": 0.7, "global": False}),
    "breaks": Answer(500),
    "hangs up": Answer(close=True),
    "is slow": Answer(delay_s=2.0),
}


@dataclass(frozen=True, slots=True)
class ReceiverFails:
    """The receiver of messages answers wrongly, or not, or takes the message and hangs up."""

    how: str
    hold_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls(rng.choice(sorted(ANSWERS)), rng.uniform(0.5, 3))

    def strike(self, world: World) -> None:
        world.receiver.default = ANSWERS[self.how]

    def heal(self, world: World) -> None:
        world.receiver.default = Answer()


@dataclass(frozen=True, slots=True)
class Paused:
    """Everything is paused and resumed. What was signed in between is counted at the end."""

    hold_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls(rng.uniform(1, 5))

    def strike(self, world: World) -> None:
        pause_all()

    def heal(self, world: World) -> None:
        resume_all()
