"""Tells open pages what changed, over Redis: a hint to look again, never what there is to see. Of executions their rows
are told; what concerns every team, or a thing that only its team knows by its id, as a topic.

Changes are told to a thread, which publishes those of a moment as one message, so that whoever changes something waits
for nothing. A hint that is lost (Redis away, a process killed) costs pages their refresh until the next one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from functools import partial

import orjson
import redis
import structlog
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)

CHANNEL = "solflow:changed"
GATHER_S = 0.2
# A message that named more would only say "almost everything" in many words.
MOST_NAMED = 500
TIMEOUT_S = 2.0


def tell(execution_ids: Iterable[int]) -> None:
    """These rows will look different once the caller's transaction commits; without one, now."""
    transaction.on_commit(partial(_tell, list(execution_ids)))


def announce(topic: str) -> None:
    """Pages of any team that listen to this topic will look different once the caller's transaction commits."""
    transaction.on_commit(partial(_tell, [topic]))


def _tell(changed: Sequence[int | str]) -> None:
    if changed:
        _teller.add(changed)


def message(changed: Iterable[int | str]) -> bytes:
    """What is published: row ids and topics, or null for "too many to name"."""
    named = list(changed)
    return orjson.dumps(named if len(named) <= MOST_NAMED else None)


class _Teller:
    """One a process; its thread starts with the first change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed: set[int | str] = set()
        self._some = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, changed: Iterable[int | str]) -> None:
        with self._lock:
            self._changed.update(changed)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
        self._some.set()

    def _run(self) -> None:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        while True:
            self._some.wait()
            self._some.clear()
            with self._lock:
                changed, self._changed = self._changed, set()
            try:
                client.publish(CHANNEL, message(changed))
            except (redis.RedisError, OSError) as error:
                log.info("change_not_told", error=type(error).__name__)
            # The first change of a moment is told at once, the others together.
            time.sleep(GATHER_S)


_teller = _Teller()


def _forget_the_parent() -> None:
    """A forked child has the parent's teller without its thread."""
    global _teller
    _teller = _Teller()


os.register_at_fork(after_in_child=_forget_the_parent)
