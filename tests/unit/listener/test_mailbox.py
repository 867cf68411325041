"""The bounded queue between the event loop and the ingest thread."""

from __future__ import annotations

import asyncio
import threading

import pytest

from listener.mailbox import Mailbox
from listener.observations import Seen


def seen(number: int) -> Seen:
    return Seen({}, number)


def slots(taken: list[Seen] | None) -> list[int]:
    return [item.slot for item in taken or []]


def test_what_is_put_is_taken_in_order_and_as_one_batch() -> None:
    async def scenario() -> None:
        mailbox = Mailbox(asyncio.get_running_loop())
        mailbox.put([seen(1), seen(2)])
        mailbox.put([seen(3)])

        assert slots(mailbox.take(2, 0)) == [1, 2]
        assert slots(mailbox.take(2, 0)) == [3]
        assert mailbox.take(2, 0) == []

    asyncio.run(scenario())


def test_a_full_mailbox_has_room_again_when_it_is_half_empty() -> None:
    async def scenario() -> None:
        mailbox = Mailbox(asyncio.get_running_loop(), high_mark=4, low_mark=2)
        mailbox.put([seen(n) for n in range(4)])
        assert not mailbox.has_room

        mailbox.take(1, 0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(mailbox.room(), 0.01)
        mailbox.take(1, 0)
        await asyncio.wait_for(mailbox.room(), 1)

    asyncio.run(scenario())


def test_it_is_settled_when_the_batch_with_the_last_item_is_done() -> None:
    async def scenario() -> None:
        mailbox = Mailbox(asyncio.get_running_loop())
        mailbox.put([seen(1)])
        waiting = asyncio.create_task(mailbox.settled())

        mailbox.take(10, 0)
        await asyncio.sleep(0)
        assert not waiting.done()
        mailbox.take(10, 0)
        await asyncio.wait_for(waiting, 1)

    asyncio.run(scenario())


def test_a_closed_mailbox_gives_what_is_left_and_then_none() -> None:
    async def scenario() -> None:
        mailbox = Mailbox(asyncio.get_running_loop())
        mailbox.put([seen(1)])
        mailbox.close()

        assert slots(mailbox.take(10, 0)) == [1]
        assert mailbox.take(10, 0) is None

    asyncio.run(scenario())


def test_a_thread_gets_everything_that_a_loop_puts() -> None:
    async def scenario() -> None:
        mailbox = Mailbox(asyncio.get_running_loop(), high_mark=50, low_mark=10)
        taken: list[int] = []

        def take() -> None:
            while (batch := mailbox.take(7, 1)) is not None:
                taken.extend(slots(batch))

        thread = threading.Thread(target=take)
        thread.start()
        for number in range(2000):
            mailbox.put([seen(number)])
            await mailbox.room()
        await mailbox.settled()
        mailbox.close()
        thread.join()
        assert taken == list(range(2000))

    asyncio.run(scenario())
