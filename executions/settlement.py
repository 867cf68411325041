"""What a landed transaction really charged: written to its attempt, and to the reservation that was made for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import system
from chain.errors import ChainError
from chain.types import SignatureStatus
from executions import steps, stored_json
from executions.gateway import gateway
from executions.models import Attempt, Execution, Reservation
from executions.states import AttemptStatus, Step
from workflows.models import Workflow

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Charge:
    """A landed transaction's own figures, from its meta."""

    fee_lamports: int
    compute_units: int | None
    logs: list[str]
    lamports: int
    tokens: dict[str, int]


def fetch(attempt: Attempt) -> Charge | None:
    """The figures of a landed transaction; None when no endpoint tells them now (asked again at finality)."""
    try:
        found = gateway().rpc.transaction(attempt.signature, "confirmed")
    except ChainError as error:
        log.info("charge_unknown_yet", signature=attempt.signature, error=str(error))
        return None
    meta = found and found.get("meta")
    if not found or not meta:
        return None
    payer = found["transaction"]["message"]["accountKeys"][0]
    tokens: dict[str, int] = {}
    for sign, field in ((1, "preTokenBalances"), (-1, "postTokenBalances")):
        for balance in meta.get(field) or []:
            if balance.get("owner") == payer:
                amount = sign * int(balance["uiTokenAmount"]["amount"])
                tokens[balance["mint"]] = tokens.get(balance["mint"], 0) + amount
    return Charge(
        fee_lamports=meta["fee"],
        compute_units=meta.get("computeUnitsConsumed"),
        logs=[stored_json.clean(line) for line in meta.get("logMessages") or []],
        lamports=max(0, meta["preBalances"][0] - meta["postBalances"][0]),
        tokens={mint: amount for mint, amount in tokens.items() if amount > 0},
    )


def record(
    attempt: Attempt, status: SignatureStatus, charge: Charge | None, execution: Execution, now: datetime
) -> bool:
    """Move the attempt to confirmed or failed and settle its reservation, in the caller's transaction.

    Returns False when another process has recorded it already.
    """
    moved = Attempt.objects.filter(
        pk=attempt.pk, status__in=[AttemptStatus.SIGNED, AttemptStatus.SENT, AttemptStatus.UNKNOWN]
    ).update(
        status=AttemptStatus.CONFIRMED if status.err is None else AttemptStatus.FAILED,
        slot=status.slot,
        error=status.err,
        confirmed_at=now,
        **_figures(charge),
    )
    if moved and charge is not None:
        _settle(attempt, charge, execution, now)
    return bool(moved)


def finalize(attempt: Attempt) -> int:
    """Record that the attempt can never be taken back; 1 unless another process did."""
    charge = fetch(attempt) if attempt.fee_lamports is None else None
    now = timezone.now()
    with transaction.atomic():
        moved = Attempt.objects.filter(
            pk=attempt.pk, finalized_at=None, status__in=[AttemptStatus.CONFIRMED, AttemptStatus.FAILED]
        )
        landed = AttemptStatus.FINALIZED if attempt.status == AttemptStatus.CONFIRMED else AttemptStatus.FAILED
        if not moved.update(status=landed, finalized_at=now, **_figures(charge)):
            return 0
        if charge is not None:
            _settle(attempt, charge, Execution.objects.get(pk=attempt.execution_id), now)
        steps.append([attempt.execution_id], Step.FINALIZED, now, {"signature": attempt.signature})
    return 1


def release(execution_id: int) -> None:
    """Nothing that was signed for this execution can land any more: what was reserved for it is free again."""
    Reservation.objects.filter(execution_id=execution_id, status=Reservation.Status.RESERVED).update(
        status=Reservation.Status.RELEASED
    )


def reopen(execution_id: int) -> None:
    """A fork took the landed transaction back, and its bytes may land again: what it charged is reserved again."""
    last = (
        Reservation.objects.filter(execution_id=execution_id, status=Reservation.Status.SETTLED).order_by("-id").first()
    )
    if last is not None:
        Reservation.objects.filter(pk=last.pk).update(status=Reservation.Status.RESERVED)


def _figures(charge: Charge | None) -> dict[str, Any]:
    if charge is None:
        return {}
    return {"fee_lamports": charge.fee_lamports, "compute_units": charge.compute_units, "logs": charge.logs}


def _settle(attempt: Attempt, charge: Charge, execution: Execution, now: datetime) -> None:
    reservation = (
        Reservation.objects.select_for_update()
        .filter(execution_id=attempt.execution_id, status=Reservation.Status.RESERVED)
        .first()
    )
    if reservation is None:
        return
    over_lamports = charge.lamports > reservation.lamports
    over_tokens = any(amount > int(reservation.tokens.get(mint, 0)) for mint, amount in charge.tokens.items())
    reservation.status = Reservation.Status.SETTLED
    reservation.lamports = charge.lamports
    reservation.tokens = charge.tokens
    reservation.save(update_fields=["status", "lamports", "tokens"])
    if over_lamports or over_tokens:
        _pause_for_overspending(attempt, charge, execution, now)


def _pause_for_overspending(attempt: Attempt, charge: Charge, execution: Execution, now: datetime) -> None:
    """The limits were judged on a simulation that reality exceeded: stop before it happens again."""
    reason = f"{attempt.signature} took {charge.lamports} lamports, more than was reserved for it"
    if Workflow.objects.filter(pk=execution.workflow_id, paused_at=None).update(paused_at=now, paused_reason=reason):
        workflow = Workflow.objects.select_related("team").get(pk=execution.workflow_id)
        actor = system(workflow.team, "worker")
        audit.record(actor, "workflow_paused", "workflow", workflow.id, target_name=workflow.name, reason=reason)
