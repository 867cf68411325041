"""What a landed transaction really charged: written to its attempt, and to the reservation that was made for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.prepared import prepared_cursor
from chain.errors import ChainError
from chain.types import SignatureStatus
from executions import live, stored_json, timing
from executions.automatic_pauses import pause_workflow
from executions.crashpoints import reach
from executions.gateway import gateway
from executions.models import Attempt, Execution, Reservation
from executions.outflow import Balances, Granted, Outflow, outflow
from executions.states import AttemptStatus, Step, attempts_before
from executions.steps import as_json, step

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Charge:
    """A landed transaction's own figures, from its meta."""

    payer: str
    fee_lamports: int
    compute_units: int | None
    logs: list[str]
    balances: Balances


@dataclass(frozen=True, slots=True)
class Landing:
    """An attempt that an endpoint has seen land; without a charge where none tells its figures now."""

    attempt: Attempt
    status: SignatureStatus
    charge: Charge | None


def fetch(rows: Sequence[Attempt]) -> list[Charge | None]:
    """The figures of landed transactions; None when no endpoint tells them now (asked again at finality)."""
    charges: list[Charge | None] = []
    for row, found in zip(rows, gateway().rpc.transactions([row.signature for row in rows]), strict=True):
        if isinstance(found, ChainError):
            log.info("charge_unknown_yet", signature=row.signature, error=str(found))
        charges.append(charge_of(found) if found and not isinstance(found, ChainError) else None)
    return charges


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


# Figures that are not told are left as they are. Rows are locked in the order of their ids.
_RECORD = """
WITH o AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(failed)s::bool[], %(slots)s::bigint[], %(errors)b::text[],
        %(fees)s::bigint[], %(units)s::bigint[], %(logs)b::text[]) AS o(id, failed, slot, error, fee, units, logs)
), held AS (
    SELECT id FROM executions_attempt WHERE id = ANY(%(ids)s) AND status = ANY(%(before)s)
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE executions_attempt a SET status = CASE WHEN o.failed THEN 'failed' ELSE 'confirmed' END, slot = o.slot,
    error = NULLIF(o.error, '')::jsonb, confirmed_at = %(now)s, fee_lamports = COALESCE(o.fee, a.fee_lamports),
    compute_units = COALESCE(o.units, a.compute_units), logs = COALESCE(NULLIF(o.logs, '')::jsonb, a.logs)
FROM o JOIN held USING (id) WHERE a.id = o.id
RETURNING a.id
"""


def record(landings: Sequence[Landing], now: datetime) -> list[Landing]:
    """Move the attempts to confirmed or failed and settle their reservations, in the caller's transaction.

    Returns those that no other process had recorded.
    """
    if not landings:
        return []
    with prepared_cursor() as cursor:
        cursor.execute(
            _RECORD,
            {
                "now": now,
                "before": attempts_before(AttemptStatus.CONFIRMED),
                "ids": [one.attempt.id for one in landings],
                "failed": [one.status.err is not None for one in landings],
                "slots": [one.status.slot for one in landings],
                "errors": [_json(one.status.err) for one in landings],
                **_figures([one.charge for one in landings]),
            },
        )
        moved = {row_id for (row_id,) in cursor.fetchall()}
    news = [one for one in landings if one.attempt.id in moved]
    _settle({one.attempt.execution_id: (one.attempt, one.charge) for one in news if one.charge is not None})
    return news


_FINALIZE = """
WITH o AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(steps)b::text[], %(fees)s::bigint[], %(units)s::bigint[],
        %(logs)b::text[]) AS o(id, step, fee, units, logs)
), held AS (
    SELECT id FROM executions_attempt
    WHERE id = ANY(%(ids)s) AND finalized_at IS NULL AND status IN ('confirmed', 'failed')
    ORDER BY id FOR NO KEY UPDATE
), final AS (
    UPDATE executions_attempt a SET status = CASE a.status WHEN 'confirmed' THEN 'finalized' ELSE a.status END,
        finalized_at = %(now)s, fee_lamports = COALESCE(o.fee, a.fee_lamports),
        compute_units = COALESCE(o.units, a.compute_units), logs = COALESCE(NULLIF(o.logs, '')::jsonb, a.logs)
    FROM o JOIN held USING (id) WHERE a.id = o.id
    RETURNING a.id, a.execution_id, o.step
), told AS (
    UPDATE executions_execution e SET steps = e.steps || final.step::jsonb FROM final WHERE e.id = final.execution_id
)
SELECT id FROM final
"""


def finalize(rows: Sequence[Attempt]) -> int:
    """Record that these attempts can never be taken back; how many were final by this call.

    One waits for its figures, which the ledger needs; where no endpoint tells them for too long, it is settled with
    what was reserved for it.
    """
    untold = [row for row in rows if row.fee_lamports is None]
    charges = {row.id: charge for row, charge in zip(untold, fetch(untold), strict=True)}
    now = timezone.now()
    ready = [row for row in rows if charges.get(row.id, True) or not _is_recent(row, now)]
    if not ready:
        return 0
    with transaction.atomic():
        final = _finalized(ready, charges, now)
        told = ((row, charges.get(row.id)) for row in final)
        _settle({row.execution_id: (row, charge) for row, charge in told if charge is not None})
        never_told = [row.execution_id for row in final if row.id in charges and charges[row.id] is None]
        Reservation.objects.filter(execution_id__in=never_told, status=Reservation.Status.RESERVED).update(
            status=Reservation.Status.SETTLED
        )
        reach("finalizing")
    live.tell([row.execution_id for row in final])
    reach("finalized")
    return len(final)


def _finalized(rows: Sequence[Attempt], charges: Mapping[int, Charge | None], now: datetime) -> list[Attempt]:
    with prepared_cursor() as cursor:
        cursor.execute(
            _FINALIZE,
            {
                "now": now,
                "ids": [row.id for row in rows],
                "steps": [as_json([step(Step.FINALIZED, now, {"signature": row.signature})]) for row in rows],
                **_figures([charges.get(row.id) for row in rows]),
            },
        )
        final = {row_id for (row_id,) in cursor.fetchall()}
    return [row for row in rows if row.id in final]


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


def _figures(charges: Sequence[Charge | None]) -> dict[str, Any]:
    return {
        "fees": [None if one is None else one.fee_lamports for one in charges],
        "units": [None if one is None else one.compute_units for one in charges],
        "logs": [_json(None if one is None else one.logs) for one in charges],
    }


def _json(value: Any) -> str:
    return "" if value is None else stored_json.dumps(value)


_SETTLE = """
UPDATE executions_reservation r SET status = 'settled', lamports = o.lamports, tokens = o.tokens::jsonb
FROM unnest(%(ids)s::bigint[], %(lamports)s::bigint[], %(tokens)b::text[]) AS o(id, lamports, tokens) WHERE r.id = o.id
"""


def _settle(charged: Mapping[int, tuple[Attempt, Charge]]) -> None:
    """`charged`: by execution."""
    open_ones = Reservation.objects.select_for_update().filter(
        execution_id__in=list(charged), status=Reservation.Status.RESERVED
    )
    settled: list[tuple[Reservation, Outflow]] = []
    for reservation in open_ones.order_by("id"):
        _, charge = charged[reservation.execution_id]
        settled.append((reservation, outflow(charge.balances, charge.payer, Granted.from_json(reservation.granted))))
    if not settled:
        return
    with prepared_cursor() as cursor:
        cursor.execute(
            _SETTLE,
            {
                "ids": [reservation.id for reservation, _ in settled],
                "lamports": [left.lamports for _, left in settled],
                "tokens": [stored_json.dumps(left.tokens) for _, left in settled],
            },
        )
    for reservation, left in settled:
        attempt, _ = charged[reservation.execution_id]
        # What was found on the chain afterwards (executions.recovery) was judged when it was signed, not here.
        if _is_more(left, reservation) and not attempt.recovered:
            _pause_for_overspending(attempt, left, reservation)


def _is_more(left: Outflow, reservation: Reservation) -> bool:
    return left.lamports > reservation.lamports or any(
        amount > int(reservation.tokens.get(mint, 0)) for mint, amount in left.tokens.items()
    )


def _pause_for_overspending(attempt: Attempt, left: Outflow, reservation: Reservation) -> None:
    """The limits were judged on a simulation that reality exceeded: stop before it happens again."""
    reason = f"{attempt.signature} took {left.lamports} lamports, more than was reserved for it"
    pause_workflow(
        workflow_id=reservation.workflow_id,
        reason=reason,
        execution_id=attempt.execution_id,
        now=timezone.now(),
    )
