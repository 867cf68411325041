"""A few threads of this process, for work that waits for the network.

They live as long as the process and keep their database connections: opening one costs more than a whole execution.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

T = TypeVar("T")
R = TypeVar("R")

THREADS = 8


def in_threads(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`work` for each item, a few at a time, in the given order; one item alone runs in the caller's own thread.

    An exception of one is raised after the others are done.
    """
    if len(items) == 1:
        return [work(items[0])]

    def run(item: T) -> R:
        # A connection that PostgreSQL has closed meanwhile is replaced.
        close_old_connections()
        return work(item)

    futures = [_pool(os.getpid()).submit(run, item) for item in items]
    for future in futures:
        future.exception()
    return [future.result() for future in futures]


def outcomes(work: Callable[[T], R], items: Sequence[T]) -> list[R | Exception]:
    """`in_threads`, with what was raised in the place of what would have been returned."""
    return in_threads(partial(_outcome, work), items)


def then(work: Callable[[T], R], items: Sequence[T | Exception]) -> list[R | Exception]:
    """`work` for what is no exception, in the caller's thread, with what was raised in its place; exceptions stay."""
    return [item if isinstance(item, Exception) else _outcome(work, item) for item in items]


def together(
    work: Callable[[Sequence[T]], Sequence[R | Exception]], items: Sequence[T | Exception]
) -> list[R | Exception]:
    """`work` for all that is no exception at once; exceptions stay. Where it raises for many, each is tried alone: one
    of them broke it, and only that one is to fail. So it must be safe to repeat."""
    done = iter(_at_once(work, [item for item in items if not isinstance(item, Exception)]))
    return [item if isinstance(item, Exception) else next(done) for item in items]


def _at_once(work: Callable[[Sequence[T]], Sequence[R | Exception]], items: Sequence[T]) -> list[R | Exception]:
    if not items:
        return []
    try:
        return list(work(items))
    except (OperationalError, InterfaceError) as error:
        return [error] * len(items)
    except Exception as error:  # noqa: BLE001 - it is handed on
        if len(items) == 1:
            return [error]
        return [outcome for item in items for outcome in _at_once(work, [item])]


def _outcome(work: Callable[[T], R], item: T) -> R | Exception:
    try:
        return work(item)
    except Exception as error:  # noqa: BLE001 - it is handed on
        return error


@cache
def _pool(pid: int) -> ThreadPoolExecutor:
    """This process's threads; a forked child has none of its parent's."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix=f"executions-{pid}")
