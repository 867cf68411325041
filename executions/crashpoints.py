"""Named points at which a test may kill this part of SolFlow, as a power cut would: SIGKILL, no handler, no clean-up.

The whole process group dies: of a worker that forks, a child alone would be replaced by its parent, and die again.

`SOLFLOW_CRASH_AT=signed` kills at the first arrival at `signed`, `signed:3` at the third. Only in a local environment.
"""

from __future__ import annotations

import os
import signal

from django.conf import settings

# In the order in which the money path comes to them; -ing: inside a transaction, just before its commit.
WORKER_POINTS = (
    "claimed",
    "decided",
    "simulated",
    "asking",
    "ending",
    "signing",
    "signed",
    "marked",
    "sent",
    "recorded",
    "confirming",
    "confirmed",
    "delivery_claimed",
    "delivering",
    "delivered",
    "finalizing",
    "finalized",
    "expiring",
    "expired",
    "parking",
    "reverting",
)
LISTENER_POINTS = (
    "gaps_opened",
    "gap_read",
    "ingest.before_commit",
    "ingest.executions_inserted",
    "ingest.checkpoint_moved",
    "ingest.after_commit",
)
SCHEDULE_POINTS = ("schedules_firing",)
POINTS = frozenset(WORKER_POINTS + LISTENER_POINTS + SCHEDULE_POINTS)

_arrivals: dict[str, int] = {}


def reach(point: str) -> None:
    """Die here if the environment says so; else cost next to nothing."""
    armed = os.environ.get("SOLFLOW_CRASH_AT")
    if not armed or not settings.LOCAL:
        return
    name, _, count = armed.partition(":")
    if name != point:
        return
    _arrivals[point] = _arrivals.get(point, 0) + 1
    if _arrivals[point] == int(count or 1):
        os.killpg(0, signal.SIGKILL)
