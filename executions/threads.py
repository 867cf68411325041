"""A few threads of this process, for work that waits for the network.

They live as long as the process and keep their database connections: opening one costs more than a whole execution.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from django.db import close_old_connections

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


@cache
def _pool(pid: int) -> ThreadPoolExecutor:
    """This process's threads; a forked child has none of its parent's."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix=f"executions-{pid}")
