"""Work that calls for more calls: repeated until it succeeds, accounted for until then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from chain.errors import Unavailable
from listener import fetching, waits
from listener.fetching import Fetching
from listener.observations import GapProgress
from tests.waiting import until

DONE = GapProgress(1, 1, 2)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "LEAST_WAIT_S", 0.001)


class Bench:
    """A Fetching that runs, with what it put and gave up."""

    def __init__(self) -> None:
        self.put: list[Any] = []
        self.given_up: list[tuple[int, int]] = []
        self.fetching = Fetching(self.put.extend, self._give_up)

    async def _give_up(self, subscription_id: int, slot: int) -> None:
        assert not self.fetching.is_done_up_to(subscription_id, self.fetching.newest)
        self.given_up.append((subscription_id, slot))


def on_a_bench(scenario: Callable[[Bench], Awaitable[None]]) -> Bench:
    async def run() -> Bench:
        bench = Bench()
        running = asyncio.create_task(bench.fetching.run())
        await scenario(bench)
        running.cancel()
        return bench

    return asyncio.run(run())


def failing(times: int) -> Callable[[float], Awaitable[Sequence[GapProgress]]]:
    """Work that succeeds after so many failures."""
    left = [times]

    async def work(waited_s: float) -> Sequence[GapProgress]:
        if left[0]:
            left[0] -= 1
            raise Unavailable("not yet")
        return [DONE]

    return work


def test_work_is_repeated_until_it_succeeds() -> None:
    async def scenario(bench: Bench) -> None:
        bench.fetching.want(1, 10, failing(4))
        await until(lambda: bool(bench.put))

    bench = on_a_bench(scenario)
    assert (bench.put, bench.given_up, len(bench.fetching)) == ([DONE], [], 0)


def test_what_cannot_be_done_for_too_long_is_given_up_with_its_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PATIENCE_S", 0.0)
    monkeypatch.setattr(fetching, "LEAST_PATIENCE_S", 0.02)

    async def scenario(bench: Bench) -> None:
        bench.fetching.want(7, 10, failing(10**6))
        await until(lambda: not len(bench.fetching))

    bench = on_a_bench(scenario)
    assert (bench.put, bench.given_up) == ([], [(7, 10)])


def test_what_is_under_way_is_not_done_and_what_comes_later_does_not_matter() -> None:
    async def scenario(bench: Bench) -> None:
        may_end = asyncio.Event()

        async def slow(waited_s: float) -> Sequence[GapProgress]:
            await may_end.wait()
            return [DONE]

        async def never(waited_s: float) -> Sequence[GapProgress]:
            await asyncio.Event().wait()
            return []

        bench.fetching.want(1, 10, slow)
        noted = bench.fetching.newest
        bench.fetching.want(1, 11, never)
        assert not bench.fetching.is_done_up_to(1, noted)
        assert bench.fetching.is_done_up_to(2, noted)
        may_end.set()
        await until(lambda: bench.fetching.is_done_up_to(1, noted))
        assert not bench.fetching.is_done_up_to(1, bench.fetching.newest)

    assert on_a_bench(scenario).put == [DONE]


def test_one_that_waits_for_its_next_try_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "LEAST_WAIT_S", 60.0)

    async def scenario(bench: Bench) -> None:
        for number in range(fetching.AT_ONCE + 1):
            bench.fetching.want(number, 10, failing(1))
        bench.fetching.want(99, 10, failing(0))
        await until(lambda: bool(bench.put))

    assert on_a_bench(scenario).put == [DONE]


def test_too_much_at_once_stops_the_reading_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "HIGH_MARK", 3)
    monkeypatch.setattr(fetching, "LOW_MARK", 1)

    async def scenario(bench: Bench) -> None:
        for _ in range(3):
            bench.fetching.want(1, 10, failing(2))
        assert not bench.fetching.has_room
        async with asyncio.timeout(5):
            await bench.fetching.room()
        assert len(bench.fetching) <= 1

    on_a_bench(scenario)
