"""Pure: whether the slots that a socket tells hang together.

Every slot names its parent, the slot before it that has a block, and a node tells a slot when it begins to work on it:
the parent before the child, on every fork, and skipped slots not at all. A parent that was never told means that the
feed swallowed something, and what else it swallowed with it nobody knows. Slots come on the socket that carries the
subscriptions, through the same queue, so they are the only witness of a silence that is shorter than the watchdog's;
of less than a slot they know nothing, which is why accounts are looked at again (listener.second_looks).
"""

from __future__ import annotations

# Older ones than the newest by this are forgotten: a fork that begins there is dead.
REMEMBERED_SLOTS = 512
# A feed that thins its slots out, or tells those of several nodes, breaks all the time and proves nothing.
MOST_BREAKS = 3
WHOLE_AGAIN_SLOTS = 150


class Lineage:
    """The slots of one endpoint, on one socket after the other."""

    def __init__(self) -> None:
        self._told: set[int] = set()
        self._oldest = 0
        self._newest = 0
        self._breaks = 0
        self._linked = 0

    @property
    def is_believed(self) -> bool:
        """Whether a break means anything at this endpoint."""
        return self._breaks <= MOST_BREAKS

    def begin(self) -> None:
        """A new socket: nothing was told on it yet."""
        self._told.clear()

    def is_broken_by(self, slot: int, parent: int | None) -> bool:
        """Whether this slot shows that something was swallowed since the one told before it."""
        if not self._told:
            self._oldest = self._newest = slot
        is_linked = parent is None or parent < self._oldest or parent in self._told
        self._add(slot)
        if len(self._told) == 1 or is_linked:
            self._linked += 1
            if self._linked >= WHOLE_AGAIN_SLOTS:
                self._breaks = 0
            return False
        self._linked = 0
        self._breaks += 1
        return self.is_believed

    def _add(self, slot: int) -> None:
        self._told.add(slot)
        self._newest = max(self._newest, slot)
        if len(self._told) > 2 * REMEMBERED_SLOTS:
            self._oldest = max(self._oldest, self._newest - REMEMBERED_SLOTS)
            self._told = {told for told in self._told if told >= self._oldest}
