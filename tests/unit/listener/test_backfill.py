"""Listing the history of an address, page by page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chain.types import SignatureInfo
from listener import backfill
from listener.backfill import signatures_between


class History:
    """An RPC client whose one address has a transaction in each slot from 1 to 100, two in slot 50."""

    def __init__(self) -> None:
        slots = sorted([*range(1, 101), 50], reverse=True)
        self.rows = [
            SignatureInfo(f"s{place}", slot, None, None, None, "confirmed") for place, slot in enumerate(slots)
        ]
        self.asked: list[dict[str, Any]] = []

    async def signatures_for_address(self, address: str, **options: Any) -> list[SignatureInfo]:
        self.asked.append(options)
        before = options["before"]
        start = 0 if before is None else [row.signature for row in self.rows].index(before) + 1
        return self.rows[start : start + options["limit"]]


def listed(history: History, first: int, last: int, most: int = 1000) -> tuple[list[int], bool]:
    found, is_whole = asyncio.run(signatures_between(history, "address", "confirmed", first, last, most=most))  # type: ignore[arg-type]
    return [info.slot for info in found], is_whole


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "SIGNATURES_PER_PAGE", 7)


@pytest.mark.parametrize(("first", "last"), [(40, 60), (1, 100), (95, 200), (50, 50), (0, 3)])
def test_every_transaction_of_the_slots_is_listed_oldest_first(first: int, last: int) -> None:
    expected = [slot for slot in sorted([*range(1, 101), 50]) if first <= slot <= last]

    assert listed(History(), first, last) == (expected, True)


def test_paging_ends_with_the_first_page_that_is_older() -> None:
    history = History()
    listed(history, 90, 100)

    assert len(history.asked) == 2


def test_each_page_comes_from_a_node_that_has_seen_the_last_slot() -> None:
    history = History()
    listed(history, 80, 100)

    assert {options["min_context_slot"] for options in history.asked} == {100}


def test_of_too_many_the_newest_are_given_and_it_says_so() -> None:
    assert listed(History(), 1, 100, most=3) == ([98, 99, 100], False)
