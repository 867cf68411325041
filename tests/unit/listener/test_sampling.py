"""Reading accounts, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from chain.types import AccountSample
from listener.sampling import Purpose, Read, Sampler, for_watch
from listener.watches import Watch
from tests.waiting import until

PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
OTHER = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"


class Rpc:
    """An RPC client whose accounts all have 5 lamports."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def accounts(self, addresses: Sequence[str], **options: Any) -> tuple[int, list[AccountSample | None]]:
        self.asked.append(list(addresses))
        return 50, [AccountSample.of(50, 5, PROGRAM, b"data") for _ in addresses]


def read(address: str, subscription_id: int = 1, purpose: Purpose = "doubt") -> Read:
    return Read(subscription_id, Watch("program", PROGRAM, "confirmed"), address, "confirmed", 10, 1, purpose)


def test_each_account_of_a_program_is_read_for_itself() -> None:
    async def scenario() -> None:
        rpc, found = Rpc(), []
        sampler = Sampler(rpc, lambda asked, sample, at_s: found.append((asked.address, sample.lamports)))  # type: ignore[arg-type]
        for address in ("A", "B", "A"):
            sampler.request(read(address))
        running = asyncio.create_task(sampler.run())
        await until(lambda: not len(sampler))
        running.cancel()
        assert (rpc.asked, found) == ([["A", "B"]], [("A", 5), ("B", 5)])

    asyncio.run(scenario())


def test_what_nobody_wants_any_more_is_not_read_and_ends_nothing() -> None:
    """The last one that waited was forgotten: the sampler goes on with the next request."""

    async def scenario() -> None:
        rpc, found = Rpc(), []
        sampler = Sampler(rpc, lambda asked, sample, at_s: found.append(asked.address))  # type: ignore[arg-type]
        sampler.request(read("A", subscription_id=1))
        sampler.forget(1)
        running = asyncio.create_task(sampler.run())
        await asyncio.sleep(0)
        sampler.request(read("B", subscription_id=2))
        await until(lambda: found or running.done())
        assert (found, running.done()) == (["B"], False)
        running.cancel()

    asyncio.run(scenario())


def test_an_account_that_a_programs_watch_does_not_choose_counts_as_gone() -> None:
    watch = Watch("program", PROGRAM, "confirmed", (), 4)

    assert for_watch(watch, 9, 5, PROGRAM, b"data").lamports == 5
    assert for_watch(watch, 9, 5, PROGRAM, b"more data").lamports == 0
    assert for_watch(watch, 9, 5, OTHER, b"data").lamports == 0


def test_a_read_for_a_weightier_purpose_is_not_replaced() -> None:
    async def scenario() -> None:
        found: list[str] = []
        sampler = Sampler(Rpc(), lambda asked, sample, at_s: found.append(asked.purpose))  # type: ignore[arg-type]
        for purpose in ("check", "catch_up", "doubt", "check"):
            sampler.request(read("A", purpose=purpose))  # type: ignore[arg-type]
        running = asyncio.create_task(sampler.run())
        await until(lambda: not len(sampler))
        running.cancel()
        assert found == ["catch_up"]

    asyncio.run(scenario())
