"""Why an execution ends without its effect, as a stable code and a sentence with the figures.

ExecutionError              base: `code` goes into the API's error, `detail` is for a person
├── LimitExceeded           a limit said no before anything was signed
├── ApprovalNeeded          within every limit, but a person has to say yes first
├── BuildFailed             the actions do not make a transaction: a template, an account, a size
├── SimulationFailed        the chain would refuse it; `logs` say why
├── SigningFailed           the service that keeps the signer's key did not sign; nothing was stored
├── DroppedByFork           what was seen at `processed` is not in the confirmed chain
├── Paused                  nothing may be signed now; the execution waits
├── LeaseLost               somebody else has taken this execution over; this worker stops touching it
└── NotNow                  the chain does not answer; the execution is given back and tried again
"""

from __future__ import annotations

from typing import Any


class ExecutionError(Exception):
    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, simulation: dict[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.simulation = simulation


class LimitExceeded(ExecutionError):
    """`limit` is the name of the setting that said no, empty where it is none."""

    code = "limit_exceeded"

    def __init__(self, detail: str, *, code: str | None = None, limit: str = "") -> None:
        super().__init__(detail, code=code)
        self.limit = limit


class ApprovalNeeded(ExecutionError):
    """`lamports` and `tokens` (base units by mint) would leave."""

    code = "approval_needed"

    def __init__(self, lamports: int, tokens: dict[str, int], threshold: int) -> None:
        super().__init__(f"{lamports} lamports would leave, above approval_above_lamports ({threshold})")
        self.lamports = lamports
        self.tokens = tokens


class BuildFailed(ExecutionError):
    code = "build_failed"


class SimulationFailed(ExecutionError):
    code = "simulation_failed"


class SigningFailed(ExecutionError):
    code = "signing_failed"


class DroppedByFork(ExecutionError):
    code = "dropped_by_fork"


class Paused(ExecutionError):
    code = "paused"


class LeaseLost(ExecutionError):
    code = "lease_lost"


class NotNow(ExecutionError):
    """`retry_after_s` asks to be woken then; without it the sweeper's next round does."""

    code = "unavailable"

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
