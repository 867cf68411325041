"""A few threads of one process, for work that waits for the network. Their database connections end with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")
R = TypeVar("R")

THREADS = 8


def in_threads(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`work` for each item, a few at a time, in the given order; one item alone runs in the caller's own thread.

    An exception of one ends the call after the others are done.
    """
    if len(items) == 1:
        return [work(items[0])]
    with ThreadPoolExecutor(min(THREADS, len(items)), thread_name_prefix="executions") as pool:
        futures = [pool.submit(_and_close_at_end, work, share) for share in _shares(items)]
        done = [future.result() for future in futures]
    return [result for _, result in sorted((pair for share in done for pair in share), key=lambda pair: pair[0])]


def _shares(items: Sequence[T]) -> list[list[tuple[int, T]]]:
    count = min(THREADS, len(items))
    return [[(at, items[at]) for at in range(first, len(items), count)] for first in range(count)]


def _and_close_at_end(work: Callable[[T], R], share: Sequence[tuple[int, T]]) -> list[tuple[int, R]]:
    try:
        return [(at, work(item)) for at, item in share]
    finally:
        connections.close_all()
