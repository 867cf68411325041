"""The money path, for as many executions as are in hand: build, simulate, judge, sign, write ahead, and only then send.

1. simulate      network, no transaction: messages and simulated outflows (executions.build). Where another service
                 keeps the key, it is asked for its signature then, after limits were judged and the outflow reserved
2. write ahead   one transaction: locks, limits, reservations, signatures, bytes, last valid heights. From its commit
                 on, the confirmation round owns the attempts, whatever becomes of this process
3. mark          one statement under the pause locks: these bytes may leave the machine
4. send          network; every answer but "taken" is "don't know", and changes nothing

Each execution has an outcome of its own; a step for many costs little more than for one, so they go together.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from accounts.models import Installation
from chain.errors import Ambiguous, ChainError
from chain.tx.signers import KeypairSigner
from chain.types import SignedTransaction
from executions import approvals, attempts, counters, keychain, limits, reservations
from executions.attempts import Written
from executions.build import Order, Prepared, prepare_all
from executions.claims import Claimed
from executions.crashpoints import reach
from executions.errors import BuildFailed, DroppedByFork, LeaseLost, NotNow
from executions.gateway import WrongChain, gateway
from executions.keys import open_signer
from executions.limits import Locked
from executions.models import Attempt
from executions.reservations import Reserving, Spent
from executions.states import Step
from executions.steps import step
from executions.threads import outcomes, then, together
from executions.trail import EACH_TOLD
from workflows.models import Signer, Workflow
from workflows.specs.workflow import WorkflowSpec

log = structlog.get_logger(__name__)

# Two endpoints need not have confirmed the same slot yet.
CONFIRMATION_SLACK_SLOTS = 8
CONFIRMATION_RETRY_S = 0.3


@dataclass(frozen=True, slots=True)
class Payment:
    """One execution's transaction on its way. `steps` are those that are not written yet; `signed` is there once a
    service elsewhere has signed."""

    claimed: Claimed
    workflow: Workflow
    prepared: Prepared
    steps: list[dict[str, Any]]
    filter_trace: dict[str, Any]
    signed: SignedTransaction | None = None

    @property
    def asks_first(self) -> bool:
        """Whether something has to be asked for over the network before it may be written ahead."""
        signer = self.workflow.signer
        return self.waits_for_confirmation or (signer is not None and not signer.is_local)

    @property
    def waits_for_confirmation(self) -> bool:
        return self.workflow.commitment == Workflow.Commitment.PROCESSED


def simulate(works: Sequence[tuple[Claimed, Workflow, WorkflowSpec]]) -> list[Prepared | Exception]:
    """Step 1: what each execution's transaction is and would do; or BuildFailed, SimulationFailed, NotNow."""
    quiet = len(works) > EACH_TOLD
    prepared = together(partial(prepare_all, gateway()), then(lambda one: _order(*one, quiet=quiet), list[Any](works)))
    reach("simulated")
    return prepared


def _order(claimed: Claimed, workflow: Workflow, spec: WorkflowSpec, *, quiet: bool) -> Order:
    if workflow.signer is None:
        raise BuildFailed("the workflow has no signer", code="signer_missing")

    def told(stage: str, started_ns: int, error: str) -> None:
        claimed.trail.passed(stage, started_ns, error=error, quiet=quiet)

    return Order(
        signer_address=workflow.signer.address,
        actions=spec.actions,
        context=context_of(claimed, workflow),
        execution_id=claimed.execution_id,
        attempt=claimed.attempts + 1,
        told=told,
    )


def context_of(claimed: Claimed, workflow: Workflow) -> dict[str, Any]:
    """What the templates of actions may read."""
    return {
        "event": claimed.event,
        "workflow": {"id": str(workflow.id), "name": workflow.name},
        "execution": {"id": claimed.execution_id, "created_at": claimed.created_at.isoformat()},
    }


def pay(payments: Sequence[Payment]) -> list[Exception | None]:
    """Steps 2 to 4; for each None, or why it is not signed: NotNow, DroppedByFork, SigningFailed, Paused,
    LimitExceeded, ApprovalNeeded, LeaseLost. What happens after the signature matters no more for the outcome."""
    started_ns, quiet = time.time_ns(), len(payments) > EACH_TOLD
    written = together(write_ahead, _asked(payments))
    for payment, outcome in zip(payments, written, strict=True):
        error = type(outcome).__name__ if isinstance(outcome, Exception) else ""
        payment.claimed.trail.passed("sign", started_ns, error=error, quiet=quiet)
    try:
        _send_first({one.claimed.id: one.claimed for one in payments}, written, quiet=quiet)
    except (OperationalError, InterfaceError) as error:
        log.warning("left_to_confirmation_round", error=type(error).__name__)
    except Exception:
        log.exception("left_to_confirmation_round")
    return [one if isinstance(one, Exception) else None for one in written]


def _asked(payments: Sequence[Payment]) -> list[Payment | Exception]:
    asked = iter(outcomes(_ask, [one for one in payments if one.asks_first]))
    return [next(asked) if one.asks_first else one for one in payments]


def _ask(payment: Payment) -> Payment:
    if payment.waits_for_confirmation:
        require_confirmed(payment.claimed)
    return replace(payment, signed=sign_elsewhere(payment))


def require_confirmed(claimed: Claimed) -> None:
    """A workflow that watches at `processed` detects, filters and simulates early, and signs only what has happened.

    Raises:
        NotNow: the event's slot is not confirmed yet.
        DroppedByFork: the confirmed chain has gone past that slot without it.
    """
    slot = claimed.event.get("slot")
    if slot is None:
        return
    try:
        # In this order: what is confirmed only after the first answer must not look dropped.
        reached = gateway().rpc.slot("confirmed")
        if _has_happened(slot, claimed.event.get("signature")):
            return
    except ChainError as error:
        raise NotNow(str(error)) from error
    if reached < slot + CONFIRMATION_SLACK_SLOTS:
        raise NotNow(f"slot {slot} is not confirmed yet", retry_after_s=CONFIRMATION_RETRY_S)
    raise DroppedByFork(f"slot {slot}, in which this was seen, is not in the confirmed chain (it is at {reached})")


def _has_happened(slot: int, signature: str | None) -> bool:
    """A transaction may be in another slot of the confirmed chain than the one in which it was first seen."""
    if signature is None:
        return gateway().rpc.has_block(slot)
    (status,) = gateway().rpc.signature_statuses([signature], search_history=True).statuses
    return status is not None and status.confirmation_status != "processed"


def sign_elsewhere(payment: Payment) -> SignedTransaction | None:
    """The signature of a key that is not here, over exactly what was simulated; None where the key is here, which signs
    in `write_ahead`.

    A service is asked only for what every limit and pause lets pass, and with the outflow reserved. Until `write_ahead`
    has judged it again and stored it, the answer is in this call's memory alone; what fails in between is dropped, and
    was never sent.

    Raises:
        NotNow, SigningFailed: executions.keychain.
        Paused, LimitExceeded, ApprovalNeeded: as write_ahead; nobody was asked.
    """
    if payment.workflow.signer is None or payment.workflow.signer.is_local:
        return None
    with transaction.atomic():
        now = timezone.now()
        door = _Door.locked([payment], now)
        signer = door.admit(payment)
        reservations.store([door.reserving(payment)], now)
    return keychain.sign(signer, payment.prepared.message, payment.prepared.last_valid_block_height)


@dataclass(frozen=True, slots=True)
class _Door:
    """What decides who may be signed, locked for the caller's transaction."""

    installation: Installation
    workflows: Mapping[UUID, Locked]
    signers: Mapping[UUID, Signer]
    spent: Spent

    @classmethod
    def locked(cls, payments: Sequence[Payment], now: datetime) -> _Door:
        installation = limits.lock_installation()
        workflows = limits.lock_workflows({one.claimed.workflow_id for one in payments})
        signers = limits.lock_signers(
            {one.workflow.signer_id for one in workflows.values() if one.workflow.signer_id is not None}
        )
        spent = reservations.spent(
            *([one.workflow for one in workflows.values()], list(signers.values()), now),
            replaced=[one.claimed.id for one in payments],
        )
        return cls(installation, workflows, signers, spent)

    def admit(self, payment: Payment) -> Signer:
        """Its signer, where nothing says no. Raises BuildFailed, Paused, LimitExceeded, ApprovalNeeded."""
        workflow = self.workflows[payment.claimed.workflow_id].workflow
        if workflow.signer_id is None or workflow.signer_id != payment.workflow.signer_id:
            changed = "the workflow's signer changed while its transaction was being built"
            raise BuildFailed(changed, code="signer_changed")
        signer = self.signers[workflow.signer_id]
        limits.refuse_if_paused(self.installation, workflow, signer)
        self.spent.admit(workflow, signer, payment.prepared)
        # Last, so that nobody is asked about what a limit refuses.
        approvals.require(payment.claimed, workflow, payment.prepared.outflow)
        return signer

    def reserving(self, payment: Payment) -> Reserving:
        workflow = self.workflows[payment.claimed.workflow_id].workflow
        assert workflow.signer_id is not None
        return Reserving(payment.claimed.id, workflow.id, workflow.signer_id, payment.prepared.outflow)


def write_ahead(payments: Sequence[Payment]) -> list[Attempt | Exception]:
    """Step 2. After its commit whoever is alive sends and follows the attempts; before it nothing happened.

    Instead of an attempt there may be
        Paused: nothing may be signed now.
        LimitExceeded: with the figures; nothing was reserved.
        ApprovalNeeded: a person has to say yes first; nothing was reserved.
        LeaseLost: another worker has taken this execution over.
    """
    try:
        genesis_hash = gateway().genesis_hash()
    except (ChainError, WrongChain) as error:
        return [NotNow(str(error))] * len(payments)
    with transaction.atomic():
        now = timezone.now()
        door, keys = _Door.locked(payments, now), dict[UUID, KeypairSigner]()

        def written(payment: Payment) -> Written:
            signer = door.admit(payment)
            signed = payment.signed or _sign(signer, payment.prepared, keys)
            door.spent.add(door.reserving(payment))
            return _written(payment, signer, signed, genesis_hash, now)

        ready = then(written, list[Payment | Exception](payments))
        mine = attempts.store([one for one in ready if isinstance(one, Written)])
        reservations.store([door.reserving(one) for one in payments if one.claimed.id in mine], now)
        reach("signing")
    reach("signed")
    return [
        one if isinstance(one, Exception) else one.attempt if payment.claimed.id in mine else _lost(payment)
        for payment, one in zip(payments, ready, strict=True)
    ]


def _sign(signer: Signer, prepared: Prepared, opened: dict[UUID, KeypairSigner]) -> SignedTransaction:
    if signer.id not in opened:
        opened[signer.id] = open_signer(signer)
    return opened[signer.id].sign(prepared.message, prepared.last_valid_block_height)


def _written(payment: Payment, signer: Signer, signed: SignedTransaction, genesis_hash: str, now: datetime) -> Written:
    number = payment.claimed.attempts + 1
    done = step(Step.SIGNED, now, {"signature": signed.signature, "attempt": number})
    attempt = Attempt(
        execution_id=payment.claimed.id,
        number=number,
        signer=signer,
        signature=signed.signature,
        raw=signed.raw,
        blockhash=signed.blockhash,
        last_valid_block_height=signed.last_valid_block_height,
        genesis_hash=genesis_hash,
        signed_at=now,
    )
    steps = [*payment.steps, done]
    return Written(attempt, payment.claimed.token, steps, payment.filter_trace, payment.prepared.simulation)


def _lost(payment: Payment) -> LeaseLost:
    return LeaseLost(f"execution {payment.claimed.execution_id} was taken over")


def _send_first(claimed: Mapping[int, Claimed], written: Sequence[Attempt | Exception], *, quiet: bool) -> None:
    started_ns = time.time_ns()
    marked = attempts.mark_sending([one for one in written if not isinstance(one, Exception)])
    for attempt in marked:
        age = timezone.now() - claimed[attempt.execution_id].created_at
        counters.SENT_SECONDS.observe(age.total_seconds())
    send(marked)
    for attempt in marked:
        trail = claimed[attempt.execution_id].trail
        trail.passed("send", started_ns, quiet=quiet, signature=attempt.signature, attempt=attempt.number)


def send(rows: Sequence[Attempt], *, everywhere: bool = False) -> None:
    """Step 4: hand the stored bytes over and write down that it was tried. Never raises for what the chain answers:
    whether they landed is found out by asking for the signatures, never from the answer to a send."""
    if not rows:
        return
    errors = gateway().rpc.send_many([bytes(row.raw) for row in rows], everywhere=everywhere)
    for row, error in zip(rows, errors, strict=True):
        if error is not None:
            log.info("send_not_taken", signature=row.signature, answer=f"{type(error).__name__}: {error}")
    reach("sent")
    taken = [error is None or isinstance(error, Ambiguous) for error in errors]
    attempts.record_sends(rows, taken, timezone.now())
    reach("recorded")
