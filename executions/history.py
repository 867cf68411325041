"""The past is read from a replica where DATABASE_REPLICA_URL names one; what is going on, never.

Only pages and API calls that show what is over come here. The primary answers instead

1. for what has happened within SETTLED, or is not over,
2. for whoever has changed something within OWN_WRITES_S, so that everybody sees what he did,
3. while the replica is MOST_BEHIND_S or more behind, or does not answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import structlog
from django.core.cache import cache as redis
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from accounts.errors import Missing
from executions.models import Execution
from executions.states import FINAL

log = structlog.get_logger(__name__)

REPLICA = "replica"
HELD_THERE = ("executions", "workflows")
MOST_BEHIND_S = 10.0
OWN_WRITES_S = 20
SETTLED = timedelta(seconds=60)
CHECK_AGAIN_S = 1.0
LEAVE_ALONE_S = 10.0

T = TypeVar("T")

_reading_there: ContextVar[bool] = ContextVar("reading_there", default=False)

# Listeners and workers write signs of life every few seconds, so a copy of them tells how old the copy is, whatever
# makes the copy and whoever asks: PostgreSQL's own figures say nothing of a standby that has lost its primary.
_BEHIND = "SELECT extract(epoch FROM clock_timestamp() - max(at))::float8 FROM executions_heartbeat"


class HistoryRouter:
    """Sends reads to the replica inside of `read`, and nothing else."""

    def db_for_read(self, model: type[Any], **hints: Any) -> str | None:
        return REPLICA if _reading_there.get() and model._meta.app_label in HELD_THERE else None

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        """A row is the same row in both."""
        return True


def read(load: Callable[[], T], *, is_over: Callable[[T], bool], user_id: int | None) -> T:
    """What `load` returns: from the replica, if that is at hand and what it says is over; else from the primary. `load`
    fetches all of it itself, raises Missing where there is none, and may be called twice."""
    if not is_at_hand() or wrote_lately(user_id):
        return load()
    try:
        with _there():
            found = load()
    except (DatabaseError, InterfaceError) as error:
        nearness().lose(error)
    except Missing:
        pass  # it may be too new
    else:
        if is_over(found):
            return found
    return load()


def is_past(moment: datetime | None) -> bool:
    """Whether it is so long ago that nothing about it moves by itself."""
    return moment is not None and timezone.now() - moment > SETTLED


def is_over(execution: Execution) -> bool:
    """Whether it ended long ago: its transaction is final, and its messages have been tried."""
    return execution.status in FINAL and is_past(execution.completed_at)


def note_write(user_id: int) -> None:
    """This person has just changed something."""
    if REPLICA in connections:
        redis.set(f"wrote:{user_id}", 1, OWN_WRITES_S)


def wrote_lately(user_id: int | None) -> bool:
    return user_id is not None and redis.get(f"wrote:{user_id}") is not None


def is_at_hand() -> bool:
    """Whether there is a replica that answers and is near enough; asked once a second at most."""
    return REPLICA in connections and nearness().known()


class Nearness:
    """What this process has last found of the replica."""

    def __init__(self) -> None:
        self._ask_at_s = float("-inf")
        self._is_near = False

    def known(self) -> bool:
        if time.monotonic() >= self._ask_at_s:
            self._ask_at_s = time.monotonic() + CHECK_AGAIN_S
            try:
                was_near, self._is_near = self._is_near, behind_s() < MOST_BEHIND_S
            except (DatabaseError, InterfaceError) as error:
                self.lose(error)
            else:
                if was_near != self._is_near:
                    log.info("replica_used" if self._is_near else "replica_behind")
        return self._is_near

    def lose(self, error: Exception) -> None:
        """It does not answer: each try would cost its timeout, so it is left alone for a while."""
        log.warning("replica_unreachable", error=type(error).__name__)
        connections[REPLICA].close()
        self._ask_at_s, self._is_near = time.monotonic() + LEAVE_ALONE_S, False


@cache
def nearness() -> Nearness:
    return Nearness()


def behind_s() -> float:
    """How old the newest sign of life on the replica is, in seconds; infinite where there is none. Raises what Django
    raises for a database that does not answer."""
    with connections[REPLICA].cursor() as cursor:
        cursor.execute(_BEHIND)
        (seconds,) = cursor.fetchone()
    return float("inf") if seconds is None else seconds


@contextmanager
def _there() -> Iterator[None]:
    token = _reading_there.set(True)
    try:
        yield
    finally:
        _reading_there.reset(token)
