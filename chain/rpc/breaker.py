"""Pure circuit breaker: closed (serves), open (rests), half-open (one trial decides). The caller brings the clock."""

from __future__ import annotations

from typing import Literal

State = Literal["closed", "half_open", "open"]

FAILURES_TO_OPEN = 3
FIRST_REST_S = 1.0
LONGEST_REST_S = 30.0
# A trial whose caller vanished without telling its outcome blocks the next one for this long only.
TRIAL_S = 15.0


class Breaker:
    """Opens after three failures in a row, or at once for as long as an endpoint asks; a failed trial doubles the rest.

    `now_s` is any monotonic clock in seconds, always the same one.
    """

    __slots__ = ("_failures", "_open_until_s", "_rest_s", "_trial_until_s")

    def __init__(self) -> None:
        self._close()

    def _close(self) -> None:
        self._failures = 0
        self._rest_s = FIRST_REST_S
        self._open_until_s: float | None = None
        self._trial_until_s = 0.0

    def state(self, now_s: float) -> State:
        """What the breaker is at this moment."""
        if self._open_until_s is None:
            return "closed"
        return "open" if now_s < self._open_until_s else "half_open"

    def admits(self, now_s: float) -> bool:
        """Whether a call may go through: always when closed, one at a time when half-open."""
        state = self.state(now_s)
        return state == "closed" or (state == "half_open" and now_s >= self._trial_until_s)

    def begin(self, now_s: float) -> None:
        """A call goes out. When half-open it is the trial, and the others wait for its outcome."""
        if self.state(now_s) == "half_open":
            self._trial_until_s = now_s + TRIAL_S

    def succeeded(self) -> None:
        """The endpoint answered; that it refused the request is an answer too."""
        self._close()

    def failed(self, now_s: float, retry_after_s: float | None = None) -> None:
        """The endpoint did not serve the call."""
        self._failures += 1
        trial_failed = self.state(now_s) == "half_open"
        if retry_after_s is not None:
            self._open_until_s = now_s + min(retry_after_s, LONGEST_REST_S)
        elif trial_failed or self._failures >= FAILURES_TO_OPEN:
            self._rest_s = min(self._rest_s * 2, LONGEST_REST_S) if trial_failed else self._rest_s
            self._open_until_s = now_s + self._rest_s
        self._trial_until_s = 0.0

    def rests_until_s(self) -> float:
        """When the next trial is due; 0 when closed."""
        return self._open_until_s or 0.0
