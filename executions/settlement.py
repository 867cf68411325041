"""What a landed transaction really charged: written to its attempt, and to the reservation that was made for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from chain.errors import ChainError
from chain.types import SignatureStatus
from executions import steps, stored_json, timing
from executions.automatic_pauses import pause_workflow
from executions.crashpoints import reach
from executions.gateway import gateway
from executions.models import Attempt, Execution, Reservation
from executions.outflow import Balances, Granted, Outflow, outflow
from executions.states import AttemptStatus, Step, attempts_before

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Charge:
    """A landed transaction's own figures, from its meta."""

    payer: str
    fee_lamports: int
    compute_units: int | None
    logs: list[str]
    balances: Balances


def fetch(attempt: Attempt) -> Charge | None:
    """The figures of a landed transaction; None when no endpoint tells them now (asked again at finality)."""
    try:
        found = gateway().rpc.transaction(attempt.signature, "confirmed")
    except ChainError as error:
        log.info("charge_unknown_yet", signature=attempt.signature, error=str(error))
        return None
    return charge_of(found) if found else None


def charge_of(found: Mapping[str, Any]) -> Charge | None:
    """The figures in what `getTransaction` answered; None where the node keeps none (`meta` is null), or tells them in
    a shape that is none of the method's."""
    meta = found.get("meta")
    if not meta:
        return None
    try:
        balances = Balances.of_landed(found)
    except ValueError as error:
        log.warning("charge_unreadable", error=str(error))
        return None
    return Charge(
        payer=balances.keys[0],
        fee_lamports=meta["fee"],
        compute_units=meta.get("computeUnitsConsumed"),
        logs=[stored_json.clean(line) for line in meta.get("logMessages") or []],
        balances=balances,
    )


def record(
    attempt: Attempt, status: SignatureStatus, charge: Charge | None, execution: Execution, now: datetime
) -> bool:
    """Move the attempt to confirmed or failed and settle its reservation, in the caller's transaction.

    Returns False when another process has recorded it already.
    """
    moved = Attempt.objects.filter(pk=attempt.pk, status__in=attempts_before(AttemptStatus.CONFIRMED)).update(
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
    """Record that the attempt can never be taken back; 1 unless another process did.

    It waits for the figures, which the ledger needs; where no endpoint tells them for too long, it is settled with what
    was reserved for it.
    """
    charge = fetch(attempt) if attempt.fee_lamports is None else None
    now = timezone.now()
    if attempt.fee_lamports is None and charge is None and _is_recent(attempt, now):
        return 0
    with transaction.atomic():
        moved = Attempt.objects.filter(
            pk=attempt.pk, finalized_at=None, status__in=[AttemptStatus.CONFIRMED, AttemptStatus.FAILED]
        )
        landed = AttemptStatus.FINALIZED if attempt.status == AttemptStatus.CONFIRMED else AttemptStatus.FAILED
        if not moved.update(status=landed, finalized_at=now, **_figures(charge)):
            return 0
        if charge is not None:
            _settle(attempt, charge, Execution.objects.get(pk=attempt.execution_id), now)
        else:
            Reservation.objects.filter(execution_id=attempt.execution_id, status=Reservation.Status.RESERVED).update(
                status=Reservation.Status.SETTLED
            )
        steps.append([attempt.execution_id], Step.FINALIZED, now, {"signature": attempt.signature})
        reach("finalizing")
    reach("finalized")
    return 1


def _is_recent(attempt: Attempt, now: datetime) -> bool:
    return now - (attempt.confirmed_at or attempt.signed_at) < timing.delta(timing.UNKNOWN_S)


def release(*execution_ids: int) -> None:
    """Nothing that was signed for these executions can land any more: what was reserved for them is free again."""
    Reservation.objects.filter(execution_id__in=execution_ids, status=Reservation.Status.RESERVED).update(
        status=Reservation.Status.RELEASED
    )


def reopen(execution: Execution) -> None:
    """A fork took the landed transaction back, and its bytes may land again: what was reserved for them is reserved
    again, not what they charged, which may have been the fee of a failure."""
    rows = Reservation.objects.filter(execution_id=execution.id)
    if rows.filter(status=Reservation.Status.RESERVED).exists():
        return  # its charge was never told, so it was not settled
    last = rows.filter(status=Reservation.Status.SETTLED).order_by("-id").first()
    if last is not None:
        simulated = execution.simulation or {}
        last.status = Reservation.Status.RESERVED
        last.lamports = max(last.lamports, simulated.get("outflow_lamports", 0))
        last.tokens = simulated.get("outflow_tokens", last.tokens)
        last.save(update_fields=["status", "lamports", "tokens"])


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
    charged = outflow(charge.balances, charge.payer, Granted.from_json(reservation.granted))
    over_lamports = charged.lamports > reservation.lamports
    over_tokens = any(amount > int(reservation.tokens.get(mint, 0)) for mint, amount in charged.tokens.items())
    reservation.status = Reservation.Status.SETTLED
    reservation.lamports = charged.lamports
    reservation.tokens = charged.tokens
    reservation.save(update_fields=["status", "lamports", "tokens"])
    # What was found on the chain afterwards (executions.recovery) was judged when it was signed, not here.
    if (over_lamports or over_tokens) and not attempt.recovered:
        _pause_for_overspending(attempt, charged, execution, now)


def _pause_for_overspending(attempt: Attempt, charged: Outflow, execution: Execution, now: datetime) -> None:
    """The limits were judged on a simulation that reality exceeded: stop before it happens again."""
    reason = f"{attempt.signature} took {charged.lamports} lamports, more than was reserved for it"
    pause_workflow(workflow_id=execution.workflow_id, reason=reason, execution_id=execution.id, now=now)
