"""Reading a long past from endpoints that limit rates, falter and forget: slower where they refuse, and without what
they do not know any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from chain.errors import Unavailable
from chain.rpc.pool import backoff
from executions import timing
from listener.transactions import UnknownTransaction

T = TypeVar("T")
Item = TypeVar("Item")
Tell = Callable[[str], None]

MOST_AT_ONCE = 100
TOLD_EVERY = 1000
# In a row: with the waits between them most of a minute.
MOST_TRIES = 12
FIRST_WAIT_S = 0.5


async def patiently(ask: Callable[[], Awaitable[T]], tell: Tell) -> T:
    """The answer, however often the endpoints refuse before it. Raises Unavailable after MOST_TRIES."""
    waits = backoff(FIRST_WAIT_S)
    for _ in range(MOST_TRIES - 1):
        try:
            return await ask()
        except Unavailable as error:
            await _wait(error, next(waits), tell)
    return await ask()


async def in_pieces(
    items: Sequence[Item], read: Callable[[Sequence[Item]], Awaitable[Sequence[T]]], tell: Tell
) -> AsyncIterator[tuple[Item, T | None]]:
    """Each item with what `read` makes of it, in their order, MOST_AT_ONCE at a time and fewer after a refusal; None
    for a transaction that the endpoints list and do not know. Raises Unavailable after MOST_TRIES in a row."""
    size, done, tries, waits = MOST_AT_ONCE, 0, 0, backoff(FIRST_WAIT_S)
    while done < len(items):
        piece = items[done : done + size]
        try:
            found: Sequence[T | None] = await read(piece)
            size = min(MOST_AT_ONCE, size * 2)
        except UnknownTransaction:
            if len(piece) > 1:
                size = max(1, len(piece) // 4)  # to find which of them it is
                continue
            found = [None]
        except Unavailable as error:
            tries += 1
            if tries == MOST_TRIES:
                raise
            size = max(1, len(piece) // 4)
            await _wait(error, next(waits), tell)
            continue
        for pair in zip(piece, found, strict=True):
            yield pair
        done, tries, waits = done + len(piece), 0, backoff(FIRST_WAIT_S)
        if done < len(items) and done % TOLD_EVERY < len(piece):
            tell(f"{done} of {len(items)} transactions read")


async def _wait(error: Unavailable, wait_s: float, tell: Tell) -> None:
    tell(f"Asked again in a moment: {error}")
    await asyncio.sleep(timing.scaled(max(wait_s, error.retry_after_s or 0)))
