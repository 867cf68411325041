"""A person's word on a parked execution: nobody could say for too long whether what was signed for it has landed.

1. The chain is asked once more, by every endpoint, with the history searched, about everything that was ever signed
   for it. What it knows is recorded as for any landed transaction, and the opposite claim is refused.
2. While the last valid block height has not passed at `finalized`, nobody can promise anything: refused.
3. Else the person's word is taken, in one transaction, under the rows' locks:

   landed                  success. What was reserved counts as spent. The ledger stays honest: the attempt is still
                           `unknown`, still asked about, and says so if it is seen after all
   not_landed              the attempts are `expired`, what was reserved is free again, the execution is failed
   not_landed, sign_again  the same, but it goes back to pending for a new attempt

The one who says `not_landed` of what has landed pays twice if it is signed again; pages and commands say so before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Invalid, NotNow, Refused
from chain.errors import ChainError
from chain.types import SignatureStatus
from executions import confirm, dispatch, settlement, steps
from executions.completion import Outcome, complete
from executions.definitions import spec_of
from executions.gateway import WrongChain, gateway
from executions.models import Attempt, Execution, Reservation
from executions.states import MAY_LAND, AttemptStatus, Status, Step, WaitingFor

log = structlog.get_logger(__name__)

# Not counted among a workflow's failures in a row (executions.streaks).
GIVEN_UP = "given_up"


class Claim(StrEnum):
    """What a person may say of a parked execution."""

    LANDED = "landed"
    NOT_LANDED = "not_landed"


@dataclass(frozen=True, slots=True)
class Heard:
    """What the chain said: the attempts that it knows, by id, and the finalized block height before that was asked."""

    known: dict[int, SignatureStatus]
    block_height: int
    endpoints: int

    @property
    def words(self) -> str:
        some = "1 endpoint" if self.endpoints == 1 else f"{self.endpoints} endpoints"
        return f"{some} searched the history up to finalized block height {self.block_height} and did not know it"


def execution_resolve(*, actor: Actor, execution: Execution, claim: Claim, sign_again: bool = False) -> Execution:
    """End a parked execution, or sign for it again, on a person's word; returns the row as it is then.

    What the chain knows outranks the claim: it is recorded, and where the claim agrees with it, nothing is taken on
    trust. The chain is asked outside of transactions; of the decision either all holds after a crash, or nothing.

    Raises:
        Invalid: `sign_again` with a claim that it landed.
        Refused: `not_parked`; `has_landed`; `may_still_land`; `wrong_chain`.
        NotNow: no endpoint answers; nothing was changed.
    """
    if sign_again and claim is Claim.LANDED:
        raise Invalid.field("sign_again", "contradiction", "what has landed is not signed again")
    _require_parked(execution)
    attempts = list(Attempt.objects.filter(execution_id=execution.pk).defer("raw", "logs").order_by("number"))
    heard = _ask(attempts)
    if not heard.known:
        return _take_the_word(actor, execution, claim, sign_again, heard.block_height, heard.words)
    found = _record_known([(one, heard.known[one.pk]) for one in attempts if one.pk in heard.known])
    if claim is Claim.NOT_LANDED:
        raise Refused(found, code="has_landed")
    row = Execution.objects.get(pk=execution.pk)
    if _is_parked(row):
        # The chain knows one that the ledger had proven expired, which no status can say: the person's word can.
        return _take_the_word(actor, row, claim, False, heard.block_height, found)
    with transaction.atomic():
        _audit(actor, row, claim, False, found)
    return row


def _is_parked(execution: Execution) -> bool:
    return execution.status == Status.PROCESSING and execution.waiting_for == WaitingFor.PERSON


def _require_parked(execution: Execution) -> None:
    if not _is_parked(execution):
        raise Refused("this execution does not wait for a person's decision", code="not_parked")


def _ask(attempts: Sequence[Attempt]) -> Heard:
    """The height first: that nobody knows a signature says nothing while its blockhash is still good."""
    try:
        gateway().genesis_hash()
        height = gateway().rpc.block_height("finalized")
    except WrongChain as error:
        raise Refused(str(error), code="wrong_chain") from error
    except ChainError as error:
        raise NotNow(f"the chain does not answer, and nothing was decided: {error}") from error
    known: dict[int, SignatureStatus] = {}
    endpoints, silent = 0, ""
    for endpoint in range(len(settings.SOLANA_RPC_URLS)):
        try:
            answer = gateway().rpc.signature_statuses(
                [one.signature for one in attempts], search_history=True, endpoint=endpoint
            )
        except ChainError as error:
            silent = str(error)
            continue
        endpoints += 1
        known |= {one.pk: status for one, status in zip(attempts, answer.statuses, strict=True) if status is not None}
    if not endpoints:
        raise NotNow(f"no endpoint can search the history now, and nothing was decided: {silent}")
    return Heard(known, height, endpoints)


def _record_known(seen: Sequence[tuple[Attempt, SignatureStatus]]) -> str:
    """Write down what has landed; returns the newest of it in words. Refused while it is only `processed`."""
    landed = [(attempt, status) for attempt, status in seen if status.confirmation_status != "processed"]
    if not landed:
        detail = f"transaction {seen[-1][0].signature} was seen just now and is not confirmed yet; it may still land"
        raise Refused(detail, code="may_still_land")
    confirm.record_landed(landed)
    attempt, status = landed[-1]
    return f"transaction {attempt.signature} landed in slot {status.slot}" + (
        f" and failed: {status.err}" if status.err is not None else ""
    )


def _take_the_word(
    actor: Actor, execution: Execution, claim: Claim, sign_again: bool, block_height: int, chain: str
) -> Execution:
    now = timezone.now()
    said = {"by": actor.name, "claim": claim.value, "sign_again": sign_again, "chain": chain}
    with transaction.atomic():
        # Attempts before executions, as whoever records what the chain says.
        attempts = _lock_open_attempts(execution, block_height)
        row = Execution.objects.select_for_update(no_key=True).get(pk=execution.pk)
        _require_parked(row)
        if claim is Claim.LANDED:
            _settle_as_reserved(row)
            complete([_outcome(row, Status.SUCCESS, said, now)], now=now)
        else:
            Attempt.objects.filter(pk__in=attempts).update(status=AttemptStatus.EXPIRED)
            settlement.release(row.pk)
            if sign_again:
                _back_to_pending(row, said, now)
            else:
                complete([_outcome(row, Status.FAILED, said, now)], now=now)
        _audit(actor, row, claim, sign_again, chain)
    log.warning("parked_execution_resolved", execution=row.execution_id, claim=claim.value, sign_again=sign_again)
    return Execution.objects.get(pk=row.pk)


def _lock_open_attempts(execution: Execution, block_height: int) -> list[int]:
    """The ids of those that may still land as far as the ledger knows. Refused where they may in fact."""
    attempts = Attempt.objects.select_for_update(no_key=True).filter(execution_id=execution.pk, status__in=MAY_LAND)
    rows = list(attempts.order_by("id").values_list("id", "signature", "last_valid_block_height"))
    for _, signature, last_valid in rows:
        if block_height <= last_valid:
            blocks = last_valid - block_height + 1
            detail = f"transaction {signature} may still land during the next {blocks} blocks: nobody can promise"
            raise Refused(detail, code="may_still_land")
    return [row[0] for row in rows]


def _settle_as_reserved(execution: Execution) -> None:
    reserved = Reservation.objects.filter(execution_id=execution.pk, status=Reservation.Status.RESERVED)
    reserved.update(status=Reservation.Status.SETTLED)


def _back_to_pending(execution: Execution, said: dict[str, Any], now: datetime) -> None:
    Execution.objects.filter(pk=execution.pk).update(status=Status.PENDING, waiting_for=None)
    steps.append([execution.pk], Step.RESOLVED, now, said)
    transaction.on_commit(partial(dispatch.wake, [execution.pk]))


def _outcome(execution: Execution, status: Status, said: dict[str, Any], now: datetime) -> Outcome:
    gave_up = status is Status.FAILED
    return Outcome(
        execution.pk,
        None,
        status,
        [steps.step(Step.RESOLVED, now, said)],
        error_code=GIVEN_UP if gave_up else "",
        error_detail=f"given up: {said['by']} says that its transaction has not landed" if gave_up else "",
        notifications=spec_of(execution.version_id).notifications,
    )


def _audit(actor: Actor, execution: Execution, claim: Claim, sign_again: bool, chain: str) -> None:
    audit.record(
        actor,
        "execution_resolved",
        "execution",
        execution.execution_id,
        claim=claim.value,
        sign_again=sign_again,
        chain=chain,
    )
