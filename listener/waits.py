"""How long to wait before an endpoint is asked again."""

from __future__ import annotations

from collections.abc import Iterator

from chain.errors import ChainError, Unavailable
from chain.rpc.pool import backoff
from executions import timing

LEAST_WAIT_S = 0.1  # a node that is behind needs about a slot
# An endpoint that asks for more than this is asked sooner all the same: its word is no reason to be blind for hours.
MOST_WAIT_S = 30.0


def waits() -> Iterator[float]:
    """Endless waits in seconds that grow; for `after`."""
    return backoff(LEAST_WAIT_S)


def after(error: ChainError, growing: Iterator[float]) -> float:
    """Seconds until the next try: the next of `growing`, or what the endpoint asked for where that is longer."""
    asked_s = error.retry_after_s if isinstance(error, Unavailable) else None
    return max(timing.scaled(next(growing)), LEAST_WAIT_S, min(asked_s or 0.0, MOST_WAIT_S))
