"""What an execution goes through, told while it happens, from the socket to the message: a log line for each stage, and
a span of its trace where traces are on.

    ingest → judge → build → simulate → sign → send → confirm → notify

Each stage happens in another process or transaction, and nothing is carried between them for this: the trace's id is
the beginning of the execution's own, so all of them agree on it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import structlog

log = structlog.get_logger(__name__)
_lines = logging.getLogger(__name__)

# Of larger batches each one is told at level DEBUG only: lines would cost as much as the work.
EACH_TOLD = 20
FIRST = "ingest"

Fact = str | int | bool


@dataclass(frozen=True, slots=True)
class Stage:
    """One that is over. `error` is the class of what ended it early, never its text."""

    trail: Trail
    name: str
    started_ns: int
    ended_ns: int
    facts: dict[str, Fact]
    error: str


_trace: Callable[[Stage], None] | None = None


def trace_with(tracer: Callable[[Stage], None] | None) -> None:
    """Give every stage to `tracer` from now on, in this process and its forked children; None: to nobody."""
    global _trace
    _trace = tracer


class Trail(NamedTuple):
    """An execution, by the ids that it is known by outside."""

    execution_id: str
    workflow_id: UUID

    def passed(self, stage: str, started_ns: int, *, error: str = "", quiet: bool = False, **facts: Fact) -> None:
        """It has gone through `stage`, which began at `started_ns` (Unix time) and ends now. Facts hold no secret."""
        ended_ns = time.time_ns()
        level = logging.DEBUG if quiet else logging.INFO
        # Asked first: in a flood, what is not written must not be put together either.
        if _lines.isEnabledFor(level):
            log.log(
                level,
                f"execution_{stage}",
                execution=self.execution_id,
                workflow=str(self.workflow_id),
                ms=(ended_ns - started_ns) // 1_000_000,
                **({"error": error} if error else {}),
                **facts,
            )
        if _trace is not None:
            _trace(Stage(self, stage, started_ns, ended_ns, facts, error))
