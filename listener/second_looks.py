"""Which accounts are compared with the chain once more although nobody doubts them.

A feed may drop a notification, or tell an old one late under a slot that is newer than the truth: then the record is
wrong, and nothing that comes later has to say so. So an account is read again when it has been quiet for a while after
a change, and every account now and then. A hundred are read by one call; what agrees costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable

Place = tuple[int, str]  # subscription id, address


class SecondLooks:
    """Remembers what was told, and says what is due. On the event loop."""

    def __init__(self, quiet_slots: int) -> None:
        self._quiet_slots = quiet_slots
        self._told: dict[Place, int] = {}

    def told(self, place: Place, slot: int) -> None:
        """It was told as of `slot` just now; it is not quiet before that much later."""
        self._told[place] = slot

    def forget(self, subscription_id: int) -> None:
        """Nobody wants it any more, or it is read anyway."""
        for place in [place for place in self._told if place[0] == subscription_id]:
            del self._told[place]

    def due(self, slot_of: Callable[[int], int | None]) -> list[tuple[Place, int]]:
        """Places that have been quiet, each with the slot that a read must have reached; they are named once.

        `slot_of` says where the feed of a subscription stands, None for one that is not seen at the moment.
        """
        found = []
        for place, told in self._told.items():
            slot = slot_of(place[0])
            if slot is not None and told + self._quiet_slots <= slot:
                found.append((place, told + 1))
        for place, _ in found:
            del self._told[place]
        return found
