"""What a person does during a run, tried again while the database is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from accounts.actors import system
from accounts.services import default_team
from executions.pauses import installation_pause, installation_resume

T = TypeVar("T")

# When everything was paused: (the pause call had returned, the resume call began).
PAUSES: list[tuple[datetime, datetime]] = []
_paused_at: list[datetime] = []


def pause_all() -> None:
    """Pause, and note when the call had returned."""
    persistently(lambda: installation_pause(actor=system(default_team(), "chaos"), reason="chaos"))
    _paused_at.append(timezone.now())


def resume_all() -> None:
    """Note when the call began, and resume."""
    if _paused_at:
        PAUSES.append((_paused_at.pop(), timezone.now()))
    persistently(lambda: installation_resume(actor=system(default_team(), "chaos")))


def persistently(work: Callable[[], T], timeout_s: float = 60.0) -> T:
    """What `work` returns once the database lets it. For work that may be done twice."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        close_old_connections()
        try:
            return work()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline_s:
                raise
            connection.close()
            time.sleep(0.3)
