"""What was told live and needs more calls before it can be matched: each piece of work is repeated until it succeeds.

Work that is under way is unfinished business of its subscription: its checkpoint does not pass what was told before it
(`is_done_up_to`). What does not succeed for too long is handed back, to become a gap like any other time unseen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from chain.errors import ChainError
from executions import timing
from listener import metrics
from listener.observations import Observation
from listener.waits import after, waits

log = structlog.get_logger(__name__)

AT_ONCE = 64  # their calls share requests
# Above the high mark the sockets are not read.
HIGH_MARK = 4000
LOW_MARK = 2000
PATIENCE_S = 60.0
LEAST_PATIENCE_S = 5.0  # confirming takes its time in tests that shrink it too

# Called with the seconds since it was wanted.
Work = Callable[[float], Awaitable[Sequence[Observation]]]


@dataclass(frozen=True, slots=True)
class _Wish:
    number: int
    subscription_id: int
    slot: int
    work: Work


class Fetching:
    """Runs work at most AT_ONCE at a time, and passes what it gives to `put`. On the event loop."""

    def __init__(
        self, put: Callable[[Sequence[Observation]], None], give_up: Callable[[int, int], Awaitable[None]]
    ) -> None:
        self._put = put
        self._give_up = give_up
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._waiting: asyncio.Queue[_Wish] = asyncio.Queue()
        self._unfinished: dict[int, dict[int, None]] = {}
        self._count = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.newest = 0

    def __len__(self) -> int:
        return self._count

    @property
    def has_room(self) -> bool:
        return self._has_room.is_set()

    async def room(self) -> None:
        """Return when there is room: whoever reads a socket waits here before the next frame."""
        await self._has_room.wait()

    def want(self, subscription_id: int, slot: int, work: Work) -> None:
        """Do this soon. `slot` is where it was told; what cannot be done is given up with it."""
        self.newest += 1
        self._unfinished.setdefault(subscription_id, {})[self.newest] = None
        self._waiting.put_nowait(_Wish(self.newest, subscription_id, slot, work))
        self._count += 1
        if self._count >= HIGH_MARK:
            self._has_room.clear()

    def is_done_up_to(self, subscription_id: int, number: int) -> bool:
        """Whether everything that was wanted for the subscription up to `number` (a value of `newest`) is put."""
        unfinished = self._unfinished.get(subscription_id)
        return not unfinished or next(iter(unfinished)) > number

    async def run(self) -> None:
        """Do what is wanted, for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                wish = await self._waiting.get()
                await self._gate.acquire()
                tasks.create_task(self._serve(wish), name=f"fetch {wish.subscription_id}")

    async def _serve(self, wish: _Wish) -> None:
        """With a place taken, which is given back while it waits."""
        started_s, growing = time.monotonic(), waits()
        patience_s = max(timing.scaled(PATIENCE_S), LEAST_PATIENCE_S)
        while True:
            try:
                failure = await self._try(wish, time.monotonic() - started_s)
            finally:
                self._gate.release()
            if failure is None:
                break
            if time.monotonic() - started_s > patience_s:
                metrics.FETCHES_GIVEN_UP.inc()
                log.warning("fetch_given_up", subscription=wish.subscription_id, slot=wish.slot)
                await self._give_up(wish.subscription_id, wish.slot)
                break
            await asyncio.sleep(after(failure, growing))
            await self._gate.acquire()
        self._finish(wish)

    async def _try(self, wish: _Wish, waited_s: float) -> ChainError | None:
        try:
            self._put(await wish.work(waited_s))
        except ChainError as error:
            log.debug("fetch_postponed", subscription=wish.subscription_id, reason=str(error))
            return error
        return None

    def _finish(self, wish: _Wish) -> None:
        unfinished = self._unfinished[wish.subscription_id]
        del unfinished[wish.number]
        if not unfinished:
            del self._unfinished[wish.subscription_id]
        self._count -= 1
        if self._count <= LOW_MARK:
            self._has_room.set()
