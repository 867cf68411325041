"""When may the same payment be signed again? Only with proof that nothing signed before can land.

The proof: the finalized block height has passed the last valid one of the blockhash, and after that two independent
endpoints (with one endpoint: the same one twice, some slots apart) have searched their history and do not know the
signature. An answer counts only when its context slot is past the slot at which the height was exceeded. An error, a
timeout or a node that lags means "don't know" and is no part of a proof. What stays so for too long is parked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chain.errors import ChainError
from chain.types import SignatureStatus
from executions import dispatch, live, settlement, steps, timing
from executions.completion import Outcome, complete
from executions.crashpoints import reach
from executions.definitions import spec_of
from executions.gateway import gateway
from executions.messages import APPROVAL, PAUSED
from executions.models import Attempt, Delivery, Execution
from executions.states import AttemptStatus, Status, Step, WaitingFor, attempts_before

log = structlog.get_logger(__name__)

# With one endpoint the same node answers twice; some slots later it has had time to catch up with itself.
SLOTS_BETWEEN_ANSWERS = 8
# A payment that keeps expiring is not going to land by itself: the fee is too low or the network is down.
ATTEMPTS_MAX = 8
# A confirmed transaction that a node of this many slots later does not know is in no fork that can still win.
REVERT_SLOTS = 40
# What is known of an attempt because it has landed.
LANDING = ("slot", "error", "confirmed_at", "fee_lamports", "compute_units", "logs")


def judge(attempts: Sequence[Attempt]) -> list[tuple[Attempt, SignatureStatus]]:
    """For attempts that are too old to land: gather answers, and expire what is proven.

    Returns those that an endpoint has seen land after all; the one that was asked before may never have known them.
    """
    landed = []
    for attempt in attempts:
        try:
            found = _gather(attempt)
        except ChainError as error:
            log.info("evidence_postponed", signature=attempt.signature, error=str(error))
            continue
        if found is Found.NEVER_LANDS:
            _expire(attempt)
        elif isinstance(found, SignatureStatus):
            landed.append((attempt, found))
    return landed


def park_overdue(attempts: Sequence[Attempt]) -> None:
    """Park those of attempts in flight about which nobody could say anything for too long, whatever the reason."""
    since = timezone.now() - timing.delta(timing.UNKNOWN_S)
    for attempt in attempts:
        if attempt.signed_at < since and attempt.status != AttemptStatus.UNKNOWN:
            _park(attempt)


class Found(Enum):
    """What asking has shown, where it has shown no landed transaction."""

    NEVER_LANDS = auto()
    NOTHING = auto()


def _gather(attempt: Attempt) -> SignatureStatus | Found:
    """Ask every endpoint, remember the answers that count, and say what they amount to."""
    rpc = gateway().rpc
    known: list[dict[str, int]] = attempt.unknown_answers
    if not known:
        # Height and slot of one node: behind one address there may be several, hundreds of slots apart, and a bound
        # from one that lags would let its own "unknown" count. The processed slot is a margin for short forks.
        reached = rpc.position("finalized")
        if reached.block_height <= attempt.last_valid_block_height:
            return Found.NOTHING
        known = [{"endpoint": -1, "slot": max(reached.slot, rpc.slot("processed"))}]
    exceeded_at = known[0]["slot"]
    answers = known[1:]
    endpoints = len(settings.SOLANA_RPC_URLS)
    for endpoint in range(endpoints):
        try:
            gateway().require_our_chain(endpoint)
            answer = rpc.signature_statuses([attempt.signature], search_history=True, endpoint=endpoint)
        except ChainError as error:
            log.info("endpoint_does_not_know", endpoint=endpoint, error=str(error))
            continue
        status = answer.statuses[0]
        if status is not None:
            return status if status.confirmation_status != "processed" else Found.NOTHING
        if _counts(answer.slot, endpoint, exceeded_at, answers, independent=endpoints > 1):
            answers.append({"endpoint": endpoint, "slot": answer.slot})
    Attempt.objects.filter(pk=attempt.pk).update(unknown_answers=[known[0], *answers])
    return Found.NEVER_LANDS if len(answers) >= 2 else Found.NOTHING


def _counts(
    slot: int, endpoint: int, exceeded_at: int, answers: Sequence[dict[str, int]], *, independent: bool
) -> bool:
    if independent:
        return slot > exceeded_at and all(one["endpoint"] != endpoint for one in answers)
    return slot > (answers[-1]["slot"] + SLOTS_BETWEEN_ANSWERS if answers else exceeded_at)


def _expire(attempt: Attempt) -> None:
    """Nothing signed for this execution can land any more: sign anew, or give up after enough tries."""
    now = timezone.now()
    with transaction.atomic():
        moved = Attempt.objects.filter(pk=attempt.pk, status__in=attempts_before(AttemptStatus.EXPIRED)).update(
            status=AttemptStatus.EXPIRED
        )
        if not moved:
            return
        reach("expiring")
        execution = Execution.objects.get(pk=attempt.execution_id)
        if attempt.number >= ATTEMPTS_MAX:
            settlement.release(execution.id)
            complete([_gave_up(attempt, execution)], now=now)
            return
        Execution.objects.filter(pk=execution.pk, status=Status.PROCESSING).update(
            status=Status.PENDING, waiting_for=None, lease_token=None, lease_until=None
        )
        transaction.on_commit(partial(dispatch.wake, [execution.id]))
    reach("expired")
    log.info("attempt_expired", signature=attempt.signature, attempt=attempt.number)


def _gave_up(attempt: Attempt, execution: Execution) -> Outcome:
    return Outcome(
        execution.id,
        None,
        Status.FAILED,
        error_code="never_landed",
        error_detail=f"{attempt.number} attempts expired without landing; nothing was paid",
        notifications=spec_of(execution.version_id).notifications,
    )


def _park(attempt: Attempt) -> None:
    """Nobody could say for too long: visible, still asked about, and a person's to decide. Never called failed."""
    with transaction.atomic():
        moved = Attempt.objects.filter(pk=attempt.pk, status__in=attempts_before(AttemptStatus.UNKNOWN)).update(
            status=AttemptStatus.UNKNOWN
        )
        if moved:
            Execution.objects.filter(pk=attempt.execution_id, status=Status.PROCESSING).update(
                waiting_for=WaitingFor.PERSON
            )
            live.tell([attempt.execution_id])
            reach("parking")
            log.warning("attempt_parked", signature=attempt.signature)


def consider_revert(attempt: Attempt, answered_at_slot: int) -> None:
    """A landed attempt is not known to a node that searched its history: if the node is far enough ahead, a fork took
    it back, and it is in flight again."""
    if attempt.slot is not None and answered_at_slot >= attempt.slot + REVERT_SLOTS:
        revert(attempt)


def conclude(seen: Sequence[tuple[Attempt, SignatureStatus]]) -> int:
    """These attempts are final, as their statuses say; for how many that was news. On the fork that won one may have
    landed in another slot, or ended otherwise than was recorded: then the record goes back, and the next round writes
    what is true."""
    as_recorded = []
    for attempt, status in seen:
        if status.slot != attempt.slot or (status.err is None) != (attempt.status == AttemptStatus.CONFIRMED):
            revert(attempt)
        else:
            as_recorded.append(attempt)
    return settlement.finalize(as_recorded)


def revert(attempt: Attempt) -> None:
    """What was recorded of a landed attempt does not hold: it is in flight again, and whoever was told is told so."""
    now = timezone.now()
    with transaction.atomic():
        moved = Attempt.objects.filter(
            pk=attempt.pk, finalized_at=None, status__in=[AttemptStatus.CONFIRMED, AttemptStatus.FAILED]
        ).update(status=AttemptStatus.SENT, unknown_answers=[], **dict.fromkeys(LANDING))
        if not moved:
            return
        Execution.objects.filter(pk=attempt.execution_id).update(
            status=Status.PROCESSING,
            waiting_for=WaitingFor.CONFIRMATION,
            completed_at=None,
            error_code="",
            error_detail="",
        )
        settlement.reopen(Execution.objects.get(pk=attempt.execution_id))
        steps.append([attempt.execution_id], Step.REVERTED, now, {"signature": attempt.signature})
        _correct(attempt.execution_id, now)
        reach("reverting")
    log.warning("attempt_reverted", signature=attempt.signature)


def _correct(execution_id: int, now: datetime) -> None:
    """Whoever was told of the outcome is told that it no longer holds."""
    told: dict[Any, Delivery] = {
        one.channel_id: one
        for one in Delivery.objects.filter(execution_id=execution_id).exclude(
            outcome__in=["reverted", PAUSED, APPROVAL]
        )
    }
    Delivery.objects.bulk_create(
        Delivery(
            execution_id=execution_id,
            team_id=one.team_id,
            channel_id=one.channel_id,
            outcome="reverted",
            template=one.template,
            next_attempt_at=now,
        )
        for one in told.values()
    )
    if told:
        transaction.on_commit(dispatch.wake_notify)
