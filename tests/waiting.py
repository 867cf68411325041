"""Waiting for conditions instead of sleeping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], timeout_s: float = 10.0, what: str = "") -> T:
    """The first true value of `condition`, asked every 20 ms; AssertionError with the last value after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what or condition.__name__}; last seen: {value!r}")
        time.sleep(0.02)
    return value


async def until(condition: Callable[[], object], timeout_s: float = 5.0) -> None:
    """Let the other tasks go on until the condition holds; TimeoutError after `timeout_s`."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what changes it tells nobody
            await asyncio.sleep(0)
