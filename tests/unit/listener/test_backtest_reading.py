"""A long past is read whole and in order, whatever the endpoints refuse on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import Unavailable
from listener.backtest import reading
from listener.backtest.reading import MOST_TRIES, in_pieces, patiently
from listener.transactions import UnknownTransaction


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(*_: Any) -> None: ...

    monkeypatch.setattr(reading, "_wait", at_once)


def silent(line: str) -> None: ...


@given(
    count=st.integers(0, 300),
    forgotten=st.sets(st.integers(0, 299), max_size=12),
    refusals=st.lists(st.booleans(), max_size=60),
)
def test_each_item_comes_once_and_in_order(count: int, forgotten: set[int], refusals: list[bool]) -> None:
    script, in_a_row = iter(refusals), 0

    async def read(piece: Sequence[int]) -> list[int]:
        nonlocal in_a_row
        in_a_row = in_a_row + 1 if next(script, False) else 0
        if 0 < in_a_row < MOST_TRIES:
            raise Unavailable("too many requests")
        if forgotten & set(piece):
            raise UnknownTransaction("gone")
        return [-item for item in piece]

    async def everything() -> list[tuple[int, int | None]]:
        return [pair async for pair in in_pieces(range(count), read, silent)]

    assert asyncio.run(everything()) == [(item, None if item in forgotten else -item) for item in range(count)]


def test_endpoints_that_never_answer_end_it() -> None:
    asked = 0

    async def refuse(*_: Any) -> Any:
        nonlocal asked
        asked += 1
        raise Unavailable("too many requests")

    async def everything() -> None:
        async for _ in in_pieces([1], refuse, silent):
            pass

    with pytest.raises(Unavailable):
        asyncio.run(everything())
    assert asked == MOST_TRIES
    with pytest.raises(Unavailable):
        asyncio.run(patiently(refuse, silent))
    assert asked == 2 * MOST_TRIES
