"""How many messages one destination gets in any minute, by what we promise and by what the receiver says. Pure.

The window rolls, and it is the receiver's that counts. A message arrives somewhere between its permission and its
answer, so its slot counts from the permission until a full period after the answer; while it is on its way (or when its
sender died) until a full period after the moment at which it must have ended. Of any `limit` + 1 messages, then, the
last was permitted when one of the others had arrived a full period before: no period has more than `limit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from executions.channels.base import Pace

# A slot on its way frees earlier than it must; then this is when to look again.
LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Slot:
    """One message: counts until `until`; `expected` is when it stops counting if its answer comes at once."""

    until: float
    expected: float


@dataclass(frozen=True, slots=True)
class Window:
    """Times are seconds since the epoch, by one clock: the database's.

    `remaining` more messages are allowed by the receiver until `resets_at`; nothing at all is before `held_until`.
    """

    slots: Mapping[str, Slot] = field(default_factory=dict)
    held_until: float = 0.0
    remaining: int | None = None
    resets_at: float = 0.0

    def wait_s(self, now: float, limit: int) -> float:
        """Seconds until another message may be sent, or may be asked for again; 0 when it may be now."""
        wait = self.held_until - now
        if self.remaining is not None and self.remaining <= 0:
            wait = max(wait, self.resets_at - now)
        counting = sorted(slot.expected for slot in self.slots.values() if slot.until > now)
        if len(counting) >= limit:
            wait = max(wait, counting[len(counting) - limit] - now, LOOK_AGAIN_S)
        return max(wait, 0.0)

    def taken(self, now: float, name: str, *, period_s: float, longest_s: float) -> Window:
        """With one more message on its way, which has its answer, or none, `longest_s` from now."""
        slots = {key: slot for key, slot in self.slots.items() if slot.until > now}
        slots[name] = Slot(until=now + longest_s + period_s, expected=now + period_s)
        open_until_reset = self.remaining is not None and now < self.resets_at
        return replace(self, slots=slots, remaining=self.remaining - 1 if open_until_reset and self.remaining else None)

    def settled(self, now: float, name: str, pace: Pace, *, period_s: float) -> Window:
        """With the answer to a message, and what it said of the receiver's own limit."""
        slots = dict(self.slots)
        if name in slots:
            slots[name] = Slot(until=now + period_s, expected=now + period_s)
        window = replace(self, slots=slots)
        if pace.remaining is None or pace.reset_after_s is None:
            return window
        remaining = pace.remaining
        if self.remaining is not None and now < self.resets_at:
            # Answers overtake each other: within one reset the lowest figure is the newest.
            remaining = min(remaining, self.remaining)
        return replace(window, remaining=remaining, resets_at=now + pace.reset_after_s)

    def held(self, until: float) -> Window:
        """With nothing before `until`, unless something already says so for longer."""
        return replace(self, held_until=max(self.held_until, until))

    def as_json(self) -> dict[str, Any]:
        slots = {name: [slot.until, slot.expected] for name, slot in self.slots.items()}
        return {
            "slots": slots, "held_until": self.held_until, "remaining": self.remaining, "resets_at": self.resets_at
        }  # fmt: skip

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Window:
        slots = {name: Slot(*times) for name, times in state.get("slots", {}).items()}
        return cls(slots, state.get("held_until", 0.0), state.get("remaining"), state.get("resets_at", 0.0))
