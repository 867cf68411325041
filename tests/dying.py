"""Death at a crash point without a process to kill, for tests that die thousands of times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from executions import crashpoints


class Died(BaseException):
    """Stands for SIGKILL: nothing catches it, open transactions are rolled back."""


@contextmanager
def killed_at(point: str | None) -> Iterator[None]:
    """The block dies at its first arrival at the named point, if it gets there."""

    def die(*_: Any) -> None:
        raise Died

    crashpoints._arrivals.clear()
    real = crashpoints.os
    crashpoints.os = SimpleNamespace(environ={"SOLFLOW_CRASH_AT": point or ""}, killpg=die)
    try:
        yield
    except Died:
        pass
    finally:
        crashpoints.os = real
