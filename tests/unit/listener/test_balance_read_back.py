"""Which histories of balances are read, and what becomes of those that cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chain.errors import Unavailable
from chain.types import AccountSample
from listener import balance_read_back, waits
from listener.balance_history import PastBalances
from listener.balance_read_back import UNREADABLE, BalanceReadBack
from listener.observations import Sample
from listener.sampling import Read
from listener.watches import Watch
from tests.waiting import until

WATCH = Watch("balance", "A", "confirmed")


class Bench:
    """A read-back that runs; `may_go` lets its reads end, `failing` makes so many of them fail first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(balance_read_back, "past_balances", self._past_balances)
        monkeypatch.setattr(waits, "LEAST_WAIT_S", 0.001)
        self.may_go = asyncio.Event()
        self.failing = 0
        self.asked: list[int] = []
        self.read: list[tuple[int, int, str]] = []
        self.balances = BalanceReadBack(None, self._on_read, most_signatures=10)  # type: ignore[arg-type]

    async def _past_balances(self, rpc: Any, watch: Watch, first_slot: int, now: AccountSample, **_: Any) -> Any:
        self.asked.append(first_slot)
        await self.may_go.wait()
        if self.failing:
            self.failing -= 1
            raise Unavailable("not now")
        return PastBalances(None, (), "read")

    def _on_read(self, read: Read, now: Sample, past: PastBalances) -> None:
        self.read.append((read.turn, now.sample.slot, past.note))

    def request(self, turn: int, first_slot: int, subscription_id: int = 1) -> None:
        read = Read(subscription_id, WATCH, "A", "confirmed", 0, turn, "catch_up")
        self.balances.request(read, Sample(subscription_id, "A", AccountSample(turn * 10, 5), 0.0), first_slot)


def on_a_bench(monkeypatch: pytest.MonkeyPatch, scenario: Callable[[Bench], Awaitable[None]]) -> Bench:
    async def run() -> Bench:
        bench = Bench(monkeypatch)
        running = asyncio.create_task(bench.balances.run())
        await scenario(bench)
        await until(lambda: not len(bench.balances))
        running.cancel()
        return bench

    return asyncio.run(run())


def test_what_was_asked_for_again_before_it_was_its_turn_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(bench: Bench) -> None:
        bench.may_go.set()
        bench.request(1, 100)
        bench.request(2, 105)

    bench = on_a_bench(monkeypatch, scenario)
    assert (bench.asked, bench.read) == ([105], [(2, 20, "read")])


def test_what_is_under_way_when_it_is_asked_for_again_counts_and_is_read_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario(bench: Bench) -> None:
        bench.request(1, 100)
        await until(lambda: bench.asked)
        bench.request(2, 105)
        bench.may_go.set()

    assert on_a_bench(monkeypatch, scenario).read == [(1, 10, "read"), (2, 20, "read")]


def test_what_cannot_be_read_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(bench: Bench) -> None:
        bench.failing = 2
        bench.may_go.set()
        bench.request(1, 100)

    bench = on_a_bench(monkeypatch, scenario)
    assert (bench.asked, bench.read) == ([100, 100, 100], [(1, 10, "read")])


def test_what_cannot_be_read_for_too_long_becomes_one_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balance_read_back, "LEAST_MERGED_AFTER_S", 0.0)
    monkeypatch.setattr(balance_read_back, "MERGED_AFTER_S", 0.0)

    async def scenario(bench: Bench) -> None:
        bench.failing = 1000
        bench.may_go.set()
        bench.request(1, 100)

    assert on_a_bench(monkeypatch, scenario).read == [(1, 10, UNREADABLE)]


def test_what_nobody_wants_any_more_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(bench: Bench) -> None:
        bench.request(1, 100)
        await until(lambda: bench.asked)
        bench.balances.forget(1)
        bench.may_go.set()
        bench.request(1, 200, subscription_id=2)

    assert [slot for _, slot, _ in on_a_bench(monkeypatch, scenario).read] == [10]
