"""The bounded queue from the event loop to the ingest thread. Full: the sockets are not read, and nothing drops."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence

from listener.observations import Observation

# Reading stops at the high mark and goes on below the low one, so that it does not stop and go with each batch.
HIGH_MARK = 20_000
LOW_MARK = 10_000


class Mailbox:
    """Many putters on one event loop, one taker in a thread. Order is kept."""

    def __init__(self, loop: asyncio.AbstractEventLoop, high_mark: int = HIGH_MARK, low_mark: int = LOW_MARK) -> None:
        self._loop = loop
        self._high_mark, self._low_mark = high_mark, low_mark
        self._items: deque[Observation] = deque()
        self._filled = threading.Condition()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._is_closed = self._is_waiting = False
        self._put = self._done = self._in_work = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()

    def __len__(self) -> int:
        return len(self._items) + self._in_work

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def put(self, items: Sequence[Observation]) -> None:
        """Add at once, above the marks too: for what is already in memory. Follow it with `room`."""
        if not items:
            return
        self._items.extend(items)
        self._put += len(items)
        # The taker says that it waits before it looks for the last time, so one of the two sees the other.
        if self._is_waiting:
            with self._filled:
                self._filled.notify()
        if len(self._items) >= self._high_mark:
            self._has_room.clear()
            # The taker may have emptied it between the two lines above, and then nobody would set the event.
            if len(self._items) <= self._low_mark:
                self._has_room.set()

    async def room(self) -> None:
        """Return when there is room: whoever reads a socket waits here before the next frame."""
        await self._has_room.wait()

    async def settled(self) -> None:
        """Return when everything that was put until now has been written."""
        if self._done < self._put:
            waiter = self._loop.create_future()
            with self._filled:
                self._waiters.append((self._put, waiter))
            await waiter

    @property
    def has_room(self) -> bool:
        return self._has_room.is_set()

    def take(self, most: int, timeout_s: float) -> list[Observation] | None:
        """Up to `most` items as soon as there is one; empty after `timeout_s`; None when closed and drained.

        Nothing is waited for once there is something: batches grow while the one before is being written.
        """
        with self._filled:
            self._finish_batch()
            self._is_waiting = True
            if not self._items and not self._is_closed:
                self._filled.wait(timeout_s)
            self._is_waiting = False
            taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
            self._in_work = len(taken)
            if not taken:
                return None if self._is_closed else []
        if not self._has_room.is_set() and len(self._items) <= self._low_mark:
            self._loop.call_soon_threadsafe(self._has_room.set)
        return taken

    def _finish_batch(self) -> None:
        """Asking for more means that the batch before is written."""
        self._done += self._in_work
        self._in_work = 0
        while self._waiters and self._waiters[0][0] <= self._done:
            self._loop.call_soon_threadsafe(_resolve, self._waiters.popleft()[1])

    def close(self) -> None:
        """No more is put; the taker gets what is left and then None."""
        with self._filled:
            self._is_closed = True
            self._filled.notify()


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
