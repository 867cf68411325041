"""What landed and this database does not know, recorded as done: after a restore, the chain knows more than the ledger.

A transaction of ours names its execution by its memo (executions.memos). If the execution is here, its row goes to
where the chain says it is, with an attempt that is marked `recovered`, a settled reservation (the daily limits count
it), a unit of the hourly rate, and its messages. If it is not here, its event came after the backup: the memo is kept
as a LandedMemo, and when the listener reads the event back, the execution is recorded as done instead of being signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Installation
from chain.errors import Unavailable
from chain.types import SignatureInfo, SignatureStatus
from executions import settlement, steps
from executions.claims import Claimed
from executions.completion import Outcome, complete
from executions.definitions import spec_of
from executions.gateway import gateway
from executions.memos import Memo, may_be_ours, of_transaction
from executions.models import Attempt, Delivery, Execution, ExecutionKey, LandedMemo, RateUnit, Reservation
from executions.outflow import outflow
from executions.settlement import Charge
from executions.states import AttemptStatus, DeliveryStatus, Status, Step
from executions.steps import step
from executions.threads import in_threads
from workflows.models import Signer, Workflow

log = structlog.get_logger(__name__)

# One more than the greatest hex digit: the end of the range of ids that begin with a prefix.
AFTER_HEX = "g"


class Adoption(StrEnum):
    """What became of a transaction that was found."""

    RECORDED = "recorded"  # its execution is recorded as done
    KEPT = "kept"  # its execution is not here yet
    KNOWN = "known"  # it was in the ledger already


@dataclass(frozen=True, slots=True)
class Landed:
    """A finalized transaction that one of our signers paid for, with the memo of an attempt.

    `charge` and `blockhash` are missing where only a LandedMemo tells of it; finality fetches the figures then.
    """

    memo: Memo
    signer_id: UUID
    signature: str
    slot: int
    error: Any
    landed_at: datetime
    blockhash: str = ""
    charge: Charge | None = None


def unknown_among(rows: Sequence[SignatureInfo]) -> list[SignatureInfo]:
    """Those rows of a history that look like an attempt's and are in no ledger of ours, in the order given."""
    candidates = [row for row in rows if may_be_ours(row.memo)]
    signatures = [row.signature for row in candidates]
    known = set(Attempt.objects.filter(signature__in=signatures).values_list("signature", flat=True))
    known |= set(LandedMemo.objects.filter(signature__in=signatures).values_list("signature", flat=True))
    return [row for row in candidates if row.signature not in known]


def look_up(signer: Signer, rows: Sequence[SignatureInfo]) -> list[Landed]:
    """The transactions of `rows` that are attempts of this signer, in the order given. Asks the chain for each row.

    Raises:
        Unavailable: a transaction is listed and no endpoint knows it: nothing is said about any of them then.
    """
    found = in_threads(lambda row: gateway().rpc.transaction(row.signature, "finalized"), rows) if rows else []
    landed = []
    for row, answer in zip(rows, found, strict=True):
        if answer is None:
            raise Unavailable(f"{row.signature} is listed and not known")
        if memo := of_transaction(answer, signer.address):
            landed.append(_landed(signer, row, answer, memo))
    return landed


def _landed(signer: Signer, row: SignatureInfo, answer: dict[str, Any], memo: Memo) -> Landed:
    at = datetime.fromtimestamp(row.block_time, UTC) if row.block_time is not None else timezone.now()
    return Landed(
        memo=memo,
        signer_id=signer.id,
        signature=row.signature,
        slot=row.slot,
        error=row.err,
        landed_at=at,
        blockhash=answer["transaction"]["message"]["recentBlockhash"],
        charge=settlement.charge_of(answer),
    )


@transaction.atomic
def adopt(landed: Landed) -> Adoption:
    """Write down that this landed, in one transaction; again, it changes nothing. Older ones first.

    The execution may be in any status; a worker that has it in hand loses its lease.
    """
    execution = _execution_of(landed.memo.prefix)
    if execution is None:
        return _keep(landed)
    if Attempt.objects.filter(signature=landed.signature).exists():
        return Adoption.KNOWN
    _record(execution, landed, timezone.now())
    LandedMemo.objects.filter(signature=landed.signature).delete()
    return Adoption.RECORDED


def adopt_known(held: Sequence[Claimed]) -> None:
    """Record held executions as done whose LandedMemo is here, in the caller's transaction, which holds their rows.

    No network: fee and logs are fetched at finality. Until then the reservation is as much as the limits allow, so that
    a day's sums err on the safe side. The memos are used up: a retry by a person is a decision of its own.
    """
    if not held:
        return
    now = timezone.now()
    executions = {row.id: row for row in Execution.objects.filter(id__in=[one.id for one in held])}
    for one in held:
        memos = list(LandedMemo.objects.filter(prefix=one.execution_id[:16]).order_by("slot", "number"))
        for kept in memos:
            landed = Landed(
                memo=Memo(kept.prefix, kept.number),
                signer_id=kept.signer_id,
                signature=kept.signature,
                slot=kept.slot,
                error=kept.error,
                landed_at=kept.found_at,
            )
            _record(executions[one.id], landed, now)
        LandedMemo.objects.filter(pk__in=[kept.pk for kept in memos]).delete()


def _execution_of(prefix: str) -> Execution | None:
    """The execution with this prefix, locked; None where it is not here (or was pruned: then nothing can run it)."""
    key = ExecutionKey.objects.filter(execution_id__gte=prefix, execution_id__lt=prefix + AFTER_HEX).first()
    if key is None:
        return None
    return Execution.objects.select_for_update(no_key=True).filter(pk=key.pk).first()


def _keep(landed: Landed) -> Adoption:
    _, made = LandedMemo.objects.get_or_create(
        signature=landed.signature,
        defaults={
            "prefix": landed.memo.prefix,
            "number": landed.memo.number,
            "signer_id": landed.signer_id,
            "slot": landed.slot,
            "error": landed.error,
            "found_at": timezone.now(),
        },
    )
    return Adoption.KEPT if made else Adoption.KNOWN


def _record(execution: Execution, landed: Landed, now: datetime) -> None:
    attempt = Attempt.objects.create(
        execution_id=execution.id,
        number=_free_number(execution.id, landed.memo.number),
        signer_id=landed.signer_id,
        status=AttemptStatus.SENT,
        signature=landed.signature,
        raw=b"",
        blockhash=landed.blockhash,
        last_valid_block_height=0,
        genesis_hash=Installation.objects.values_list("genesis_hash", flat=True).get(pk=1),
        signed_at=landed.landed_at,
        sending_at=landed.landed_at,
        recovered=True,
    )
    _reserve(execution, landed)
    status = SignatureStatus(landed.slot, landed.error, "finalized")
    settlement.record([settlement.Landing(attempt, status, landed.charge)], now)
    _end(execution, landed, now)
    log.warning("landed_and_unknown", execution=execution.execution_id, signature=landed.signature, slot=landed.slot)


def _free_number(execution_id: int, wanted: int) -> int:
    """The memo's number, unless another signature has it: a restored database that went on unnoticed."""
    mine = Attempt.objects.filter(execution_id=execution_id)
    if not mine.filter(number=wanted).exists():
        return wanted
    return int(mine.aggregate(Max("number"))["number__max"]) + 1


def _reserve(execution: Execution, landed: Landed) -> None:
    """What settling needs: the reservation that was made for an earlier attempt, or one made now."""
    workflow = Workflow.objects.get(pk=execution.workflow_id)
    lamports, tokens = workflow.max_lamports_per_tx, dict(workflow.max_tokens_per_tx)
    if landed.charge is not None:
        charged = outflow(landed.charge.balances, landed.charge.payer)
        lamports, tokens = charged.lamports, charged.tokens
    Reservation.objects.get_or_create(
        execution_id=execution.id,
        status=Reservation.Status.RESERVED,
        defaults={
            "workflow": workflow,
            "signer_id": landed.signer_id,
            "lamports": lamports,
            "tokens": tokens,
            "at": landed.landed_at,
        },
    )
    RateUnit.objects.bulk_create(
        [RateUnit(execution_id=execution.id, workflow=workflow, at=landed.landed_at)], ignore_conflicts=True
    )


def _end(execution: Execution, landed: Landed, now: datetime) -> None:
    execution.refresh_from_db(fields=["status", "lease_token"])
    begins = execution.status == Status.PENDING
    if execution.status in (Status.FAILED, Status.THROTTLED):
        # As by a retry, which is what must have happened before this was signed.
        Execution.objects.filter(pk=execution.pk).update(status=Status.PENDING, completed_at=None)
    detail = {"signature": landed.signature, "slot": landed.slot, "error": landed.error, "recovered": True}
    if not complete([_outcome(execution, landed, step(Step.CONFIRMED, now, detail), begins)], now=now, held=True):
        # It is done already: the ledger holds both now, and reconcile shows them side by side.
        log.error("landed_beside", execution=execution.execution_id, signature=landed.signature)
        steps.append([execution.pk], Step.CONFIRMED, now, detail)
        return
    _mark_messages(execution.pk, now)


def _outcome(execution: Execution, landed: Landed, confirmed: dict[str, Any], begins: bool) -> Outcome:
    notifications = spec_of(execution.version_id).notifications
    if landed.error is None:
        return Outcome(
            execution.pk,
            execution.lease_token,
            Status.SUCCESS,
            [confirmed],
            notifications=notifications,
            starts=begins,
        )
    return Outcome(
        execution.pk,
        execution.lease_token,
        Status.FAILED,
        [confirmed],
        error_code="transaction_failed",
        error_detail=f"the transaction landed in slot {landed.slot} and failed: {landed.error}",
        notifications=notifications,
        starts=begins,
    )


def _mark_messages(execution_id: int, now: datetime) -> None:
    """Nobody knows what was told before the restore: what is told now may be said twice."""
    Delivery.objects.filter(
        execution_id=execution_id, status=DeliveryStatus.PENDING, next_attempt_at=now, attempts=0
    ).update(maybe_repeated=True)
