"""What became of the signatures in flight. One round asks about all of them together; no worker waits for the chain.

landed       confirmed: completes the execution, settles the reservation with what the chain charged
unseen       the same bytes again, every two seconds, until they are seen or too old
too old      a new attempt only with proof that none of the old ones can land (executions.evidence)
no answer    "don't know" moves nothing; after long enough a person is asked
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import structlog
from django.db import transaction
from django.utils import timezone
from solders.transaction import VersionedTransaction

from chain.errors import ChainError
from chain.types import SignatureStatus
from executions import attempts, counters, evidence, settlement, timing
from executions.completion import Outcome, complete
from executions.crashpoints import reach
from executions.definitions import spec_of
from executions.gateway import WrongChain, gateway
from executions.idls import load_usable
from executions.models import Attempt, Execution
from executions.program_errors import explain
from executions.settlement import Landing
from executions.states import MAY_LAND, AttemptStatus, Status, Step
from executions.steps import step
from executions.submit import send
from executions.trail import EACH_TOLD, Trail
from executions.turns import turn
from workflows.specs.references import idls_named

log = structlog.get_logger(__name__)

STATUSES_PER_CALL = 256
ROUND_SIZE = 2048
# Two rounds at once are harmless and wasteful; a round that died is forgotten after this.
ROUND_S = 5
# A worker that is alive sends at once; afterwards the bytes are the round's to send.
FIRST_SEND_GRACE_S = 1.0

T = TypeVar("T")


def confirm_round() -> int:
    """Ask about everything that may still land, once; returns how many attempts turned out to have landed."""
    with turn("confirm", places=1, for_at_most_s=ROUND_S) as free:
        if not free:
            return 0
        waiting = list(
            # Sent, signed, unknown: what is parked is asked about after everything that still moves.
            Attempt.objects.filter(finalized_at=None, status__in=MAY_LAND).order_by("status", "id")[:ROUND_SIZE]
        )
        landed = 0
        try:
            # The answers of another chain would be proof of anything.
            gateway().genesis_hash()
            for chunk in _chunks(waiting, STATUSES_PER_CALL):
                landed += _ask(chunk)
        except (ChainError, WrongChain) as error:
            log.warning("confirmation_postponed", error=str(error))
        evidence.park_overdue(waiting)
        return landed


def _ask(rows: Sequence[Attempt]) -> int:
    seen, unseen = _statuses(rows, search_history=False)
    if unseen:
        seen += _follow_up(unseen)
    if seen:
        record_landed(seen)
    return len(seen)


def _statuses(
    rows: Sequence[Attempt], *, search_history: bool
) -> tuple[list[tuple[Attempt, SignatureStatus]], list[Attempt]]:
    """Those that landed, and those that this node does not know. `processed` is neither: a fork may still take it."""
    answer = gateway().rpc.signature_statuses([one.signature for one in rows], search_history=search_history)
    seen: list[tuple[Attempt, SignatureStatus]] = []
    unseen: list[Attempt] = []
    for attempt, status in zip(rows, answer.statuses, strict=True):
        if status is None:
            unseen.append(attempt)
        elif status.confirmation_status != "processed":
            seen.append((attempt, status))
    return seen, unseen


def record_landed(seen: Sequence[tuple[Attempt, SignatureStatus]]) -> None:
    """Write down that these landed, settle their reservations, and complete their executions."""
    charges = settlement.fetch([attempt for attempt, _ in seen])
    landings = [Landing(*pair, charge) for pair, charge in zip(seen, charges, strict=True)]
    now = timezone.now()
    with transaction.atomic():
        # In this order: of two processes only the one that has recorded it goes on.
        news = settlement.record(landings, now)
        executions = Execution.objects.only("execution_id", "workflow_id", "version_id", "created_at").in_bulk(
            [one.attempt.execution_id for one in news]
        )
        complete([_outcome(one, executions[one.attempt.execution_id], now) for one in news], now=now)
        reach("confirming")
    reach("confirmed")
    quiet = len(news) > EACH_TOLD
    for one in news:
        execution = executions[one.attempt.execution_id]
        counters.CONFIRMED_SECONDS.observe((now - execution.created_at).total_seconds())
        _tell(one.attempt, one.status, execution, quiet=quiet)


def _tell(attempt: Attempt, status: SignatureStatus, execution: Execution, *, quiet: bool) -> None:
    sent_at = attempt.sending_at or attempt.signed_at
    Trail(execution.execution_id, execution.workflow_id).passed(
        "confirm",
        int(sent_at.timestamp() * 1e9),
        error="" if status.err is None else "transaction_failed",
        quiet=quiet,
        signature=attempt.signature,
        slot=status.slot,
        attempt=attempt.number,
    )


def _outcome(landing: Landing, execution: Execution, now: datetime) -> Outcome:
    attempt, status, charge = landing.attempt, landing.status, landing.charge
    confirmed = step(Step.CONFIRMED, now, {"signature": attempt.signature, "slot": status.slot, "error": status.err})
    spec = spec_of(execution.version_id)
    if status.err is None:
        return Outcome(execution.id, None, Status.SUCCESS, [confirmed], notifications=spec.notifications)
    why = explain(
        status.err,
        # What was recovered from the chain has no bytes here.
        message=VersionedTransaction.from_bytes(bytes(attempt.raw)).message if attempt.raw else None,
        logs=charge.logs if charge is not None else (),
        idls=load_usable(idls_named(spec)),
    )
    return Outcome(
        execution.id,
        None,
        Status.FAILED,
        [confirmed],
        error_code="transaction_failed",
        error_detail=f"the transaction landed in slot {status.slot} and failed: {why}",
        notifications=spec.notifications,
    )


def _follow_up(unseen: Sequence[Attempt]) -> list[tuple[Attempt, SignatureStatus]]:
    """Send again what may still land, look for proof about what may not; returns what landed long ago.

    Nodes forget recent statuses after a few minutes, so what is too old is asked for with the history searched.
    """
    now = timezone.now()
    height = gateway().rpc.block_height("finalized")
    again = [one for one in unseen if height <= one.last_valid_block_height and _is_due(one, now)]
    _send_again(again)
    too_old = [one for one in unseen if height > one.last_valid_block_height]
    if not too_old:
        return []
    landed, unknown = _statuses(too_old, search_history=True)
    return landed + evidence.judge(unknown)


def _is_due(attempt: Attempt, now: datetime) -> bool:
    if attempt.last_sent_at is not None:
        return now - attempt.last_sent_at > timing.delta(timing.REBROADCAST_S)
    return now - attempt.signed_at > timing.delta(FIRST_SEND_GRACE_S)


def _send_again(due: Sequence[Attempt]) -> None:
    unsent = [one for one in due if one.sending_at is None]
    send(attempts.mark_sending(unsent))
    send(attempts.not_paused([one for one in due if one.sending_at is not None]), everywhere=True)


def finalize_round() -> int:
    """Record finality of what was confirmed, and notice what a fork took back; returns how many are final now."""
    landed = list(
        Attempt.objects.filter(finalized_at=None, status__in=[AttemptStatus.CONFIRMED, AttemptStatus.FAILED])
        .defer("raw", "logs")
        .order_by("id")[:ROUND_SIZE]
    )
    final = 0
    try:
        gateway().genesis_hash()
        for chunk in _chunks(landed, STATUSES_PER_CALL):
            answer = gateway().rpc.signature_statuses([one.signature for one in chunk], search_history=True)
            concluded = []
            for attempt, status in zip(chunk, answer.statuses, strict=True):
                if status is None:
                    evidence.consider_revert(attempt, answer.slot)
                elif status.confirmation_status == "finalized":
                    concluded.append((attempt, status))
            final += evidence.conclude(concluded)
    except (ChainError, WrongChain) as error:
        log.warning("finality_postponed", error=str(error))
    return final


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
