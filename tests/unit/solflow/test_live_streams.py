from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from solflow.live import streams
from solflow.live.hub import Hub
from solflow.live.streams import Stream, topics_of

OURS, THEIRS = 1, 2


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SPACING_S", 0.02)
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.02)


def stream(topics: str = "executions", team: int = OURS) -> Stream:
    return Stream(team_id=team, user_id=1, session_key="key", topics=topics_of(topics))


async def next_change(text: AsyncIterator[bytes]) -> str:
    """The `data` of the next event, past comments and the retry line."""
    async for part in text:
        if b"event: changed" in part:
            return part.decode().rpartition("data: ")[2].strip()
    raise AssertionError("the stream ended")


def test_a_page_is_told_of_its_own_topics_only_and_of_several_at_once() -> None:
    async def follow() -> None:
        page = stream("executions,execution:7")
        page.tell("a-1", {"workflow:x"})
        page.tell("a-2", {"executions", "execution:8"})
        page.tell("a-3", {"execution:7"})
        assert await next_change(page.text()) == "execution:7 executions"

    asyncio.run(follow())


def test_what_waits_for_a_slow_reader_never_grows() -> None:
    async def follow() -> None:
        page = stream()
        for number in range(10_000):
            page.tell(f"a-{number}", {"executions", f"execution:{number}"})
        text = page.text()
        assert await next_change(text) == "executions"
        page.end()
        assert [part async for part in text] == []

    asyncio.run(follow())


def test_a_quiet_stream_says_that_it_is_still_there() -> None:
    async def follow() -> list[bytes]:
        text = stream().text()
        return [await anext(text) for _ in range(3)]

    assert asyncio.run(follow())[1:] == [b": still here\n\n"] * 2


def test_changes_come_at_most_once_in_a_while() -> None:
    async def follow() -> float:
        page, loop = stream(), asyncio.get_running_loop()
        text = page.text()
        page.tell("a-1", {"executions"})
        await next_change(text)
        started = loop.time()
        page.tell("a-2", {"executions"})
        await next_change(text)
        return loop.time() - started

    assert asyncio.run(follow()) >= 0.015


def test_a_page_that_was_away_is_told_what_it_missed_of_its_team_or_to_look_at_everything() -> None:
    hub = Hub()

    def missed(since: str) -> set[str]:
        page = stream("executions,execution:7")
        hub._tell_missed(page, since)
        return page._changed

    hub._tell(OURS, frozenset({"executions", "execution:7"}))
    hub._tell(THEIRS, frozenset({"executions", "execution:9"}))
    assert missed(f"{hub._epoch}-0") == {"executions", "execution:7"}
    assert missed(f"{hub._epoch}-1") == missed(f"{hub._epoch}-2") == set()
    for unknown in ("", "other-1", f"{hub._epoch}-x"):
        assert missed(unknown) == {"*"}
    for _ in range(300):
        hub._tell(OURS, frozenset({"executions"}))
    assert missed(f"{hub._epoch}-1") == {"*"}


def test_an_address_names_a_bounded_number_of_topics() -> None:
    assert topics_of("") == frozenset()
    assert topics_of("executions,,execution:1," + "x" * 100) == {"executions", "execution:1"}
    assert len(topics_of(",".join(f"execution:{number}" for number in range(100)))) == streams.MOST_TOPICS


def test_a_topic_of_no_row_is_told_to_the_pages_of_every_team_that_listen_to_it() -> None:
    async def follow() -> list[set[str]]:
        hub = Hub()
        pages = [stream("inbox,executions"), stream("inbox", THEIRS), stream("executions")]
        hub._streams.update(pages)
        telling = asyncio.create_task(hub._place_and_tell())
        hub._note(["inbox"])
        await asyncio.wait_for(pages[0]._something.wait(), 5)
        telling.cancel()
        return [page._changed for page in pages]

    assert asyncio.run(follow()) == [{"inbox"}, {"inbox"}, set()]
