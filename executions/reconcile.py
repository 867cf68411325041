"""Every attempt that is not final, asked about once, now, with the history searched; and what that changed.

What an answer means is decided where it always is: executions.confirm records what landed, executions.evidence what is
final, what has expired and what was taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chain.types import SignatureStatus
from executions import evidence
from executions.confirm import STATUSES_PER_CALL, record_landed
from executions.gateway import gateway
from executions.models import Attempt, Execution
from executions.states import MAY_LAND, AttemptStatus


@dataclass(frozen=True, slots=True)
class Finding:
    """One attempt: what the ledger said of it, what the chain says, and what the ledger says now."""

    execution_id: str
    number: int
    signature: str
    known: str
    found: str
    now: str

    @property
    def changed(self) -> bool:
        return self.known != self.now


def reconcile() -> Iterator[Finding]:
    """Ask about every attempt that is not final, oldest first, and bring each as far as the answer goes.

    Safe beside a running worker: every move is conditional. Raises ChainError where no endpoint answers; what was told
    before is done.
    """
    waiting = list(
        Attempt.objects.filter(finalized_at=None).exclude(status=AttemptStatus.EXPIRED).order_by("id").defer("raw")
    )
    for start in range(0, len(waiting), STATUSES_PER_CALL):
        chunk = waiting[start : start + STATUSES_PER_CALL]
        answer = gateway().rpc.signature_statuses([one.signature for one in chunk], search_history=True)
        for attempt, status in zip(chunk, answer.statuses, strict=True):
            yield _bring(attempt, status, answer.slot)


def _bring(attempt: Attempt, status: SignatureStatus | None, answered_at_slot: int) -> Finding:
    known = _said(attempt)
    found = _unseen(attempt, answered_at_slot) if status is None else _seen(attempt, status)
    execution_id = Execution.objects.values_list("execution_id", flat=True).get(pk=attempt.execution_id)
    now = _said(Attempt.objects.get(pk=attempt.pk))
    return Finding(execution_id, attempt.number, attempt.signature, known, found, now)


def _said(attempt: Attempt) -> str:
    return f"{attempt.status}, final" if attempt.finalized_at is not None else str(attempt.status)


def _seen(attempt: Attempt, status: SignatureStatus) -> str:
    if status.confirmation_status == "processed":
        return "seen, not confirmed yet"
    if attempt.status in MAY_LAND:
        record_landed([(attempt, status)])
    if status.confirmation_status == "finalized":
        evidence.conclude([(Attempt.objects.get(pk=attempt.pk), status)])
    outcome = "landed" if status.err is None else f"landed and failed ({status.err})"
    return f"{outcome} in slot {status.slot}, {status.confirmation_status}"


def _unseen(attempt: Attempt, answered_at_slot: int) -> str:
    if attempt.status not in MAY_LAND:
        evidence.consider_revert(attempt, answered_at_slot)
        return "not known: a fork may have taken it back"
    height = gateway().rpc.block_height("finalized")
    if height <= attempt.last_valid_block_height:
        return f"not known; can land for {attempt.last_valid_block_height - height} more blocks"
    if landed := evidence.judge([attempt]):
        record_landed(landed)
        return "landed, as another endpoint knows"
    return "not known, and too old to land"
