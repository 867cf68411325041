"""Mailboxes side by side: each subscription's observations stay in one, in order."""

from __future__ import annotations

import asyncio

from chain.types import AccountSample
from listener.mailboxes import Mailboxes
from listener.observations import CaughtUp, GapProgress, Observation, Sample, Seen


def sample(subscription_id: int, slot: int) -> Sample:
    return Sample(subscription_id, "address", AccountSample(slot, 1), 0.0)


def test_what_concerns_a_subscription_is_taken_by_one_thread_in_the_order_given() -> None:
    """Its gap must not be closed before its samples are written."""
    given: list[Observation] = [
        sample(1, 10),
        sample(2, 10),
        sample(1, 11),
        CaughtUp(1, 11),
        GapProgress(2, 7, 10),
        sample(1, 12),
    ]

    async def run() -> None:
        boxes = Mailboxes(asyncio.get_running_loop(), 2)
        boxes.put(given[:5])
        boxes.put(given[5:])
        first, second = (box.take(10, 0) for box in reversed(boxes.each))

        assert first == [given[0], given[2], given[3], given[5]]
        assert second == [given[1], given[4]]

    asyncio.run(run())


def test_a_checkpoint_moves_behind_what_its_own_subscription_was_told() -> None:
    async def run() -> None:
        boxes = Mailboxes(asyncio.get_running_loop(), 2)
        boxes.put([Seen({1: 5, 2: 6, 3: 7}, 100), Seen({2: 1}, 101)])
        even, odd = (box.take(10, 0) for box in boxes.each)

        assert even == [Seen({2: 6}, 100), Seen({2: 1}, 101)]
        assert odd == [Seen({1: 5, 3: 7}, 100)]

    asyncio.run(run())


def test_no_room_in_one_is_no_room() -> None:
    async def run() -> None:
        boxes = Mailboxes(asyncio.get_running_loop(), 2)
        boxes.put([sample(1, slot) for slot in range(10_000)])
        assert not boxes.has_room

        boxes.each[1].take(6_000, 0)
        await asyncio.wait_for(boxes.room(), 1)

        assert boxes.has_room

    asyncio.run(run())
