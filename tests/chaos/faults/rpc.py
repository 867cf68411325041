"""Answers of the RPC endpoints: late, refused, lost, and not true any more."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Self

from tests.chaos.faults.base import Blow
from tests.chaos.world import PREFERRED, SECOND, World

NODE_BEHIND = {"code": -32005, "message": "Node is behind by 42 slots"}
BLOCKHASH_NOT_FOUND = {"code": -32002, "message": "Transaction simulation failed: Blockhash not found"}
EXPIRY_BLOCKS = 160
ENDPOINTS = [[PREFERRED], [SECOND], [PREFERRED, SECOND]]


@dataclass(frozen=True, slots=True)
class AnswersFaulted:
    """One kind of trouble with some of the answers, of one endpoint or of both."""

    kind: str
    settings: dict[str, Any]
    hold_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        kind, more = rng.choice(
            [
                ("delay", {"delay_ms": rng.randint(300, 4000)}),
                ("timeout", {}),
                ("rate_limit", {"retry_after_s": rng.choice([1, 2])}),
                ("server_error", {"status": rng.choice([500, 502, 503])}),
                ("lose_answer", {}),
                ("lose_answer", {"methods": ["sendTransaction"]}),
                ("error", NODE_BEHIND),
                ("error", {**BLOCKHASH_NOT_FOUND, "methods": ["sendTransaction"]}),
                ("lag", {"blocks": rng.choice([5, 40, 200])}),
                ("never_land", {}),
            ]
        )
        common = {"paths": rng.choice(ENDPOINTS), "probability": rng.choice([0.1, 0.3, 1.0])}
        return cls(kind, {**common, **more, "seed": rng.randrange(2**32)}, rng.uniform(2, 8))

    def strike(self, world: World) -> None:
        world.chain.faults(**{self.kind: self.settings})

    def heal(self, world: World) -> None:
        world.chain.clear_faults(self.kind)


@dataclass(frozen=True, slots=True)
class Forgets:
    """The second endpoint says "unknown" of every signature, and is at the newest slot. Only one of two may: what no
    endpoint knows any more cannot be told from what never landed."""

    hold_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls(rng.uniform(5, 20))

    def strike(self, world: World) -> None:
        world.chain.faults(forget={"paths": [SECOND]})

    def heal(self, world: World) -> None:
        world.chain.clear_faults("forget")


@dataclass(frozen=True, slots=True)
class LostAndExpired(Blow):
    """For a moment everything that is sent is accepted and thrown away; then so many blocks come that it expires."""

    lost_s: float

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        return cls(rng.uniform(1, 3))

    def strike(self, world: World) -> None:
        world.chain.faults(never_land={"paths": [PREFERRED, SECOND]})
        world.quiet.wait(self.lost_s)
        world.chain.warp(EXPIRY_BLOCKS)
        world.chain.clear_faults("never_land")
