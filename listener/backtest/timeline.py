"""Pure: limits that look back, on a time line of their own: the hourly rate and what a day may cost.

Asked in the order of time. The questions are those of executions.limit_checks, which real payments are asked too; only
where the figures come from differs. What else the workflow or its signer spent in those days is not in them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from executions.errors import LimitExceeded
from executions.limit_checks import check_day, check_tokens_per_day
from listener.backtest.results import Refusal

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits over time; None where there is none."""

    max_executions_per_hour: int
    max_lamports_per_day: int | None
    max_tokens_per_day: Mapping[str, Any]
    signer_max_lamports_per_day: int | None


@dataclass
class Timeline:
    """What has run so far."""

    bounds: Bounds
    _units: deque[datetime] = field(default_factory=deque)
    _spent: deque[tuple[datetime, int, Mapping[str, int]]] = field(default_factory=deque)
    # The sums of `_spent`: a day may hold thousands.
    _lamports: int = 0
    _tokens: Counter[str] = field(default_factory=Counter)

    def take_rate(self, at: datetime) -> Refusal | None:
        """Take a unit of the hourly rate; the refusal where there is none left."""
        while self._units and self._units[0] <= at - HOUR:
            self._units.popleft()
        most = self.bounds.max_executions_per_hour
        if len(self._units) >= most:
            detail = f"{most} executions in the hour before are the limit"
            return Refusal("rate_limited", detail, "max_executions_per_hour")
        self._units.append(at)
        return None

    def return_rate(self) -> None:
        """Give back the newest unit: what took it ends without having signed."""
        self._units.pop()

    def day_refusals(self, at: datetime, lamports: int, tokens: Mapping[str, int]) -> list[Refusal]:
        """Every daily limit that this would be above."""
        self._forget(at - DAY)
        found: list[Refusal] = []
        for whose, allowed in (
            ("workflow", self.bounds.max_lamports_per_day),
            ("signer", self.bounds.signer_max_lamports_per_day),
        ):
            if allowed is not None:
                with refusals_into(found):
                    check_day(whose, lamports=lamports, spent=self._lamports, allowed=allowed)
        with refusals_into(found):
            check_tokens_per_day(tokens, self._tokens, self.bounds.max_tokens_per_day)
        return found

    def spend(self, at: datetime, lamports: int, tokens: Mapping[str, int]) -> None:
        """It ran."""
        self._spent.append((at, lamports, tokens))
        self._lamports += lamports
        self._tokens.update(tokens)

    def _forget(self, until: datetime) -> None:
        while self._spent and self._spent[0][0] <= until:
            _, lamports, tokens = self._spent.popleft()
            self._lamports -= lamports
            self._tokens.subtract(tokens)


@contextmanager
def refusals_into(found: list[Refusal]) -> Iterator[None]:
    """Collect what a check inside the block says no for."""
    try:
        yield
    except LimitExceeded as error:
        found.append(Refusal(error.code, error.detail, error.limit))
