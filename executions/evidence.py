"""When may the same payment be signed again? Only with proof that nothing signed before can land.

The proof: the finalized block height has passed the last valid one of the blockhash, and after that two independent
endpoints (with one endpoint: the same one twice, some slots apart) have searched their history and do not know the
signature. An answer counts only when its context slot is past the slot at which the height was exceeded. An error, a
timeout or a node that lags means "don't know" and is no part of a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chain.errors import ChainError
from executions import dispatch, settlement, steps, timing
from executions.completion import Outcome, complete
from executions.definitions import spec_of
from executions.gateway import gateway
from executions.models import Attempt, Delivery, Execution
from executions.states import AttemptStatus, Status, Step, WaitingFor

log = structlog.get_logger(__name__)

# With one endpoint the same node answers twice; some slots later it has had time to catch up with itself.
SLOTS_BETWEEN_ANSWERS = 8
# A payment that keeps expiring is not going to land by itself: the fee is too low or the network is down.
ATTEMPTS_MAX = 8
# A confirmed transaction that a node of this many slots later does not know is in no fork that can still win.
REVERT_SLOTS = 40


def judge(attempts: Sequence[Attempt]) -> None:
    """For attempts that are too old to land: gather answers, expire what is proven, park what stays unclear."""
    for attempt in attempts:
        try:
            proven = _gather(attempt)
        except ChainError as error:
            log.info("evidence_postponed", signature=attempt.signature, error=str(error))
            proven = False
        if proven:
            _expire(attempt)
        elif timezone.now() - attempt.signed_at > timing.delta(timing.UNKNOWN_S):
            _park(attempt)


def _gather(attempt: Attempt) -> bool:
    """Ask, remember what counts, and say whether it is enough. Asking in this order makes the slot bound honest: the
    height was seen exceeded before the slot that every counted answer must have passed."""
    rpc = gateway().rpc
    known: list[dict[str, int]] = attempt.unknown_answers
    if not known:
        known = [{"endpoint": -1, "slot": rpc.slot("processed")}]
    exceeded_at = known[0]["slot"]
    answers = known[1:]
    endpoints = len(settings.SOLANA_RPC_URLS)
    for endpoint in range(endpoints):
        try:
            answer = rpc.signature_statuses([attempt.signature], search_history=True, endpoint=endpoint)
        except ChainError as error:
            log.info("endpoint_does_not_know", endpoint=endpoint, error=str(error))
            continue
        if answer.statuses[0] is not None:
            # It landed after all; the round that asked for this judgement records it next time.
            return False
        if _counts(answer.slot, endpoint, exceeded_at, answers, independent=endpoints > 1):
            answers.append({"endpoint": endpoint, "slot": answer.slot})
    Attempt.objects.filter(pk=attempt.pk).update(unknown_answers=[known[0], *answers])
    return len(answers) >= 2


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
        moved = Attempt.objects.filter(
            pk=attempt.pk, status__in=[AttemptStatus.SIGNED, AttemptStatus.SENT, AttemptStatus.UNKNOWN]
        ).update(status=AttemptStatus.EXPIRED)
        if not moved:
            return
        execution = Execution.objects.get(pk=attempt.execution_id)
        if attempt.number >= ATTEMPTS_MAX:
            settlement.release(execution.id)
            complete([_gave_up(attempt, execution)], now=now)
            return
        Execution.objects.filter(pk=execution.pk, status=Status.PROCESSING).update(
            status=Status.PENDING, waiting_for=None, lease_token=None, lease_until=None
        )
        transaction.on_commit(partial(dispatch.wake, [execution.id]))
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
        moved = Attempt.objects.filter(pk=attempt.pk, status__in=[AttemptStatus.SIGNED, AttemptStatus.SENT]).update(
            status=AttemptStatus.UNKNOWN
        )
        if moved:
            Execution.objects.filter(pk=attempt.execution_id, status=Status.PROCESSING).update(
                waiting_for=WaitingFor.PERSON
            )
            log.warning("attempt_parked", signature=attempt.signature)


def consider_revert(attempt: Attempt, answered_at_slot: int) -> None:
    """A landed attempt is not known to a node that searched its history: if the node is far enough ahead, a fork took
    it back, and it is in flight again."""
    if attempt.slot is None or answered_at_slot < attempt.slot + REVERT_SLOTS:
        return
    now = timezone.now()
    with transaction.atomic():
        moved = Attempt.objects.filter(
            pk=attempt.pk, finalized_at=None, status__in=[AttemptStatus.CONFIRMED, AttemptStatus.FAILED]
        ).update(status=AttemptStatus.SENT, slot=None, confirmed_at=None, error=None)
        if not moved:
            return
        Execution.objects.filter(pk=attempt.execution_id).update(
            status=Status.PROCESSING,
            waiting_for=WaitingFor.CONFIRMATION,
            completed_at=None,
            error_code="",
            error_detail="",
        )
        settlement.reopen(attempt.execution_id)
        steps.append([attempt.execution_id], Step.REVERTED, now, {"signature": attempt.signature})
        _correct(attempt.execution_id, now)
    log.warning("attempt_reverted", signature=attempt.signature)


def _correct(execution_id: int, now: datetime) -> None:
    """Whoever was told of the outcome is told that it no longer holds."""
    told: dict[Any, Delivery] = {
        one.channel_id: one for one in Delivery.objects.filter(execution_id=execution_id).exclude(outcome="reverted")
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
