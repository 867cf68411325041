"""Mailboxes side by side, one for each ingest thread.

While one thread waits for PostgreSQL the other prepares its batch. What concerns one subscription goes through one of
them, in the order given: its state rows, gaps and checkpoint are written by one thread, and no two threads want the
same rows, but for the keys of an event that came by two subscriptions; those are inserted in one order by everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from listener.mailbox import HIGH_MARK, LOW_MARK, Mailbox
from listener.observations import Observation, Seen

# More threads share one interpreter lock: on two cores a third gained nothing (benchmarks/ingest.py).
THREADS = 2


class Mailboxes:
    """What a Mailbox is to its putters, in front of several."""

    def __init__(self, loop: asyncio.AbstractEventLoop, count: int = THREADS) -> None:
        self.each = tuple(Mailbox(loop, HIGH_MARK // count, LOW_MARK // count) for _ in range(count))

    def __len__(self) -> int:
        return sum(map(len, self.each))

    def put(self, items: Sequence[Observation]) -> None:
        """Add at once, above the marks too: for what is already in memory. Follow it with `room`."""
        if len(items) == 1 and not isinstance(items[0], Seen):
            self._of(items[0].subscription_id).put(items)
            return
        parts: dict[Mailbox, list[Observation]] = {box: [] for box in self.each}
        for item in items:
            if isinstance(item, Seen):
                for box in self.each:
                    counts = {key: count for key, count in item.counts.items() if self._of(key) is box}
                    parts[box] += [Seen(counts, item.slot)] if counts else []
            else:
                parts[self._of(item.subscription_id)].append(item)
        for box, part in parts.items():
            box.put(part)

    def _of(self, subscription_id: int) -> Mailbox:
        return self.each[subscription_id % len(self.each)]

    @property
    def has_room(self) -> bool:
        return all(box.has_room for box in self.each)

    async def room(self) -> None:
        """Return when there is room in all: a socket's next frame may be for any of them."""
        while not self.has_room:
            for box in self.each:
                await box.room()

    async def settled(self) -> None:
        """Return when everything that was put until now has been written."""
        await asyncio.gather(*(box.settled() for box in self.each))

    def close(self) -> None:
        """No more is put; the takers get what is left and then None."""
        for box in self.each:
            box.close()
