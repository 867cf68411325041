"""Calls that many ask for on their own, in as few requests as it takes.

Batches form by themselves: a call goes out alone and at once while little is asked, and what comes while enough
requests are under way goes with the next one. Each caller gets its own answer or its own error.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, TypeVar

from chain.errors import ChainError
from chain.rpc.calls import CALLS_PER_BATCH, Call, Family
from chain.rpc.driver import Driver

T = TypeVar("T")

# Public endpoints allow few more at a time.
REQUESTS_AT_ONCE = 8


class Gathering:
    """The calls of one family. Belongs to the event loop in which it is used."""

    def __init__(self, driver: Driver, family: Family) -> None:
        self._driver = driver
        self._family = family
        self._waiting: deque[tuple[Call[Any], asyncio.Future[Any]]] = deque()
        self._requests: set[asyncio.Task[None]] = set()

    async def ask(self, call: Call[T]) -> T:
        """The value of the first endpoint that answers. Raises Rejected or Unavailable."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T | ChainError] = loop.create_future()
        self._waiting.append((call, answer))
        loop.call_soon(self._send)  # behind those who ask in the same turn of the loop
        outcome = await answer
        if isinstance(outcome, ChainError):
            raise outcome
        return outcome

    def _send(self) -> None:
        while self._waiting and len(self._requests) < REQUESTS_AT_ONCE:
            count = min(CALLS_PER_BATCH[self._family], len(self._waiting))
            asked = [self._waiting.popleft() for _ in range(count)]
            request = asyncio.get_running_loop().create_task(self._exchange(asked), name=f"{self._family} calls")
            self._requests.add(request)
            request.add_done_callback(self._is_done)

    def _is_done(self, request: asyncio.Task[None]) -> None:
        self._requests.discard(request)
        self._send()

    async def _exchange(self, asked: list[tuple[Call[Any], asyncio.Future[Any]]]) -> None:
        wanted = [(call, answer) for call, answer in asked if not answer.done()]  # the others have given up
        try:
            outcomes = await self._driver.ask_many([call for call, _ in wanted])
        except BaseException as error:
            for _, answer in wanted:
                _settle(answer, error)
            if not isinstance(error, Exception):
                raise
        else:
            for (_, answer), outcome in zip(wanted, outcomes, strict=True):
                _settle(answer, outcome)


def _settle(answer: asyncio.Future[Any], outcome: Any) -> None:
    if answer.done():
        return
    if isinstance(outcome, asyncio.CancelledError):
        answer.cancel()
    elif isinstance(outcome, BaseException) and not isinstance(outcome, ChainError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
