"""The one task of a web process that hears what changed and tells every open page of the team.

1. hear      executions.live publishes row ids and topics over Redis; those of GATHER_S become one round.
2. place     one query for the round says whose the rows are; nothing is asked while no page is open.
3. tell      each page gets the topics that it listens to. Rounds are numbered and the newest are kept, so that a page
             that was away for a moment is told what it missed, and one that was away for longer to look at everything.
4. look      every LOOK_S, one query for all: how things stand that nobody tells of (solflow.live.standing).
5. check     every RECHECK_S, two queries for all: a page whose reader signed out or left the team is closed.

It starts with the first page and ends a while after the last. Without Redis pages hear nothing; when it is back they
are all told to look at everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import redis.asyncio
import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from redis.exceptions import RedisError

from executions.live import CHANNEL
from executions.timing import scaled
from solflow.live import readers, standing
from solflow.live.shutdown import when_asked_to_stop
from solflow.live.streams import EVERYTHING, SPACING_OF_A_PAGE_S, SPACING_S, Stream

log = structlog.get_logger(__name__)

GATHER_S = 0.25
RECHECK_S = 30.0
LOOK_S = 10.0
IDLE_S = 60.0
AGAIN_S = 1.0
ROUNDS_KEPT = 256
ALL_TEAMS = None
MOST_NAMED = 2000


class Hub:
    """Its methods are called on the event loop; `position` may be read from any thread."""

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._epoch = secrets.token_hex(4)
        self._number = 0
        self._rounds: deque[tuple[int, object, frozenset[str]]] = deque(maxlen=ROUNDS_KEPT)
        self._heard: set[int | str] | None = set()
        self._something = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._hears = False
        self._is_stopping = False

    @property
    def position(self) -> str:
        """Where a page that is read from the database now goes on; empty while nothing is heard."""
        return f"{self._epoch}-{self._number}" if self._task is not None else ""

    def open(self, stream: Stream, since: str) -> None:
        """Begin to tell `stream`, and first what has happened `since` a position."""
        if self._is_stopping:
            stream.end()
            return
        # A page that comes before anything is heard is told to look at everything once it is.
        if self._hears:
            self._tell_missed(stream, since)
        self._streams.add(stream)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="live hub")

    def close(self, stream: Stream) -> None:
        """Its reader has gone."""
        self._streams.discard(stream)

    def stop(self) -> None:
        """End every stream now, and open no other: the server waits for open answers before it stops."""
        self._is_stopping = True
        for stream in self._streams:
            stream.end()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        forget = when_asked_to_stop(asyncio.get_running_loop(), self.stop)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(), name="live hub: hear")
                tasks.create_task(self._place_and_tell(), name="live hub: tell")
                tasks.create_task(self._look(), name="live hub: look")
                tasks.create_task(self._check(), name="live hub: check")
        except* _NobodyReads:
            log.debug("live_hub_idle")
        finally:
            self._task = None
            self._hears = False
            forget()
            # Of a task that failed: browsers come back, and with the first of them the next task.
            for stream in self._streams:
                stream.end()

    async def _hear(self) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with (
                    redis.asyncio.Redis.from_url(settings.REDIS_URL, health_check_interval=15) as client,
                    client.pubsub(ignore_subscribe_messages=True) as subscription,
                ):
                    await subscription.subscribe(CHANNEL)
                    # Whatever was published before this moment nobody heard.
                    self._note(None)
                    self._hears = True
                    async for message in subscription.listen():
                        self._note(orjson.loads(message["data"]))
            self._hears = False
            await asyncio.sleep(AGAIN_S)

    def _note(self, changed: Iterable[int | str] | None) -> None:
        """Row ids and topics, or None for "anything may have changed"."""
        if changed is None or self._heard is None or len(self._heard) > MOST_NAMED:
            self._heard = None
        else:
            self._heard.update(changed)
        self._something.set()

    async def _place_and_tell(self) -> None:
        while True:
            await self._something.wait()
            await asyncio.sleep(GATHER_S)
            self._something.clear()
            heard, self._heard = self._heard, set()
            if heard is None:
                self._tell(ALL_TEAMS, frozenset({EVERYTHING}))
                continue
            if topics := frozenset(one for one in heard if isinstance(one, str)):
                self._tell(ALL_TEAMS, topics)
            if rows := [one for one in heard if isinstance(one, int)]:
                placed = await sync_to_async(readers.topics_by_team, thread_sensitive=False)(rows)
                for team_id, touched in placed.items():
                    self._tell(team_id, touched)

    def _tell(self, team_id: object, topics: frozenset[str]) -> None:
        self._number += 1
        self._rounds.append((self._number, team_id, topics))
        spacing_s = max(SPACING_S, SPACING_OF_A_PAGE_S * len(self._streams))
        for stream in self._streams:
            stream.spacing_s = spacing_s
            if team_id in (ALL_TEAMS, stream.team_id):
                stream.tell(self.position, topics)

    def _tell_missed(self, stream: Stream, since: str) -> None:
        epoch, _, number = since.partition("-")
        first = self._rounds[0][0] if self._rounds else self._number + 1
        if epoch != self._epoch or not number.isdecimal() or int(number) + 1 < first:
            stream.tell(self.position, {EVERYTHING})
            return
        for at, team_id, topics in self._rounds:
            if at > int(number) and team_id in (ALL_TEAMS, stream.team_id):
                stream.tell(self.position, topics)

    async def _look(self) -> None:
        """Measurements move always; how things stand is told only to those for whom it changed."""
        before = await self._standing()
        while True:
            await asyncio.sleep(scaled(LOOK_S))
            if not self._streams:
                continue
            now = await self._standing()
            self._tell(ALL_TEAMS, frozenset({standing.MEASURES}))
            for team_id in standing.changed(before, now):
                self._tell(team_id, frozenset({standing.STANDING}))
            before = now or before

    @staticmethod
    async def _standing() -> Mapping[Any, str]:
        return await sync_to_async(standing.standing, thread_sensitive=False)()

    async def _check(self) -> None:
        idle_s = 0.0
        while True:
            interval_s = scaled(RECHECK_S)
            await asyncio.sleep(interval_s)
            idle_s = 0.0 if self._streams else idle_s + interval_s
            if idle_s >= scaled(IDLE_S):
                raise _NobodyReads
            streams = list(self._streams)
            asked = [(one.session_key, one.user_id, one.team_id) for one in streams]
            allowed = await sync_to_async(readers.still_allowed, thread_sensitive=False)(asked)
            for stream, may_go_on in zip(streams, allowed, strict=True):
                if not may_go_on:
                    stream.end()


class _NobodyReads(Exception):
    """No page has been open for IDLE_S."""


hub = Hub()
