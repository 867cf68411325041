"""One open page: what it listens to, what changed of that, and the text that its browser gets.

A page listens to topics: `executions` (any of the team), `workflow:<id>` (any of that workflow), `execution:<row id>`,
`channel:<id>`, `inbox`, `standing` (what is paused, disabled, missing or missed) and `measures` (figures that move
always). It is only told which of them changed and fetches what it shows itself, so what waits for a slow reader never
grows beyond the page's own topics.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

MOST_TOPICS = 16
MOST_CHARACTERS = 60
HEARTBEAT_S = 15.0
# A page fetches what it shows again each time: often enough for a reader, and for the server more rarely the more pages
# are open, so that together they ask about thirty times a second.
SPACING_S = 1.0
SPACING_OF_A_PAGE_S = 0.03
RETRY_MS = 2000
EVERYTHING = "*"


def topics_of(text: str) -> frozenset[str]:
    """The topics that an address names, separated by commas; at most MOST_TOPICS, what is too long left out."""
    named = [topic for topic in text.split(",") if 0 < len(topic) <= MOST_CHARACTERS]
    return frozenset(named[:MOST_TOPICS])


class Stream:
    """The stream of one tab. Everything here runs on the event loop."""

    def __init__(self, *, team_id: object, user_id: int, session_key: str, topics: frozenset[str]) -> None:
        self.team_id = team_id
        self.user_id = user_id
        self.session_key = session_key
        self.topics = topics
        self.spacing_s = SPACING_S
        self._changed: set[str] = set()
        self._position = ""
        self._is_over = False
        self._something = asyncio.Event()

    def tell(self, position: str, topics: Iterable[str]) -> None:
        """Something happened; `position` is where the stream goes on after a reconnect."""
        news = {EVERYTHING} if EVERYTHING in topics else self.topics.intersection(topics)
        if news:
            self._changed |= news
            self._position = position
            self._something.set()

    def end(self) -> None:
        """Close it from this side; the browser comes back if it still may."""
        self._is_over = True
        self._something.set()

    async def text(self) -> AsyncIterator[bytes]:
        """The stream itself, until `end`: changes at most every `spacing_s`, a comment when nothing changes."""
        yield f"retry: {RETRY_MS}\n\n".encode()
        while not self._is_over:
            try:
                await asyncio.wait_for(self._something.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            self._something.clear()
            if self._changed:
                changed, self._changed = self._changed, set()
                yield f"id: {self._position}\nevent: changed\ndata: {' '.join(sorted(changed))}\n\n".encode()
                await self._pause()

    async def _pause(self) -> None:
        """`spacing_s`, or until `end`."""
        wait_until = asyncio.get_running_loop().time() + self.spacing_s
        while not self._is_over and (left := wait_until - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.wait_for(self._something.wait(), left)
            except TimeoutError:
                break
            self._something.clear()
        if self._changed:
            self._something.set()
