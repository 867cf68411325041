"""Hearing that the server is asked to stop. It waits for open answers before it tells an application anything."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def when_asked_to_stop(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Callable[[], None]:
    """Call `stop` on the loop when a signal to stop comes, before the server's own handler; returns how to undo it.

    Nothing is done where signals cannot be heard (another thread than the main one, or no handler in Python).
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        servers = before[number]  # type: ignore[index]
        if callable(servers):
            servers(number, frame)

    ours = [number for number, servers in before.items() if callable(servers)]
    for number in ours:
        signal.signal(number, handle)

    def forget() -> None:
        for number in ours:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])

    return forget
