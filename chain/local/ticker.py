"""The clock of the chain: one slot after the other, unless a test stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Ticker:
    """Calls `end_slot` every `slot_ms` milliseconds. A late slot is not made up for: the next one counts from it."""

    def __init__(self, slot_ms: int, end_slot: Callable[[], None]) -> None:
        self._slot_s = slot_ms / 1_000
        self._end_slot = end_slot
        self._running = asyncio.Event()
        self._running.set()

    @property
    def paused(self) -> bool:
        """Whether slots stand still."""
        return not self._running.is_set()

    def pause(self) -> None:
        """Let no slot end from now on."""
        self._running.clear()

    def resume(self) -> None:
        """Let slots end again."""
        self._running.set()

    async def run(self) -> None:
        """Tick until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._slot_s
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self._running.wait()
            self._end_slot()
            due = max(due + self._slot_s, loop.time())
