"""The money path of one execution: build, simulate, judge, sign, write ahead, and only then send.

1. prepare       network, no transaction: message and simulated outflow (executions.build). Where another service keeps
                 the key, it is asked for its signature here too, after limits were judged and the outflow reserved
2. write ahead   one transaction: locks, limits, reservation, signature, bytes, last valid height. From its commit
                 on, the confirmation round owns the attempt, whatever becomes of this process
3. mark          one statement under the pause locks: these bytes may leave the machine
4. send          network; every answer but "taken" is "don't know", and changes nothing
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.prepared import prepared_cursor
from chain.errors import Ambiguous, ChainError
from chain.types import SignedTransaction
from executions import approvals, counters, keychain, limits, live, stored_json
from executions.build import Prepared, prepare
from executions.claims import Claimed
from executions.crashpoints import reach
from executions.errors import BuildFailed, DroppedByFork, LeaseLost, NotNow
from executions.gateway import WrongChain, gateway
from executions.keys import open_signer
from executions.models import Attempt
from executions.states import Step
from executions.steps import as_json, step
from workflows.models import Signer, Workflow
from workflows.specs.workflow import WorkflowSpec

log = structlog.get_logger(__name__)

# Two endpoints need not have confirmed the same slot yet.
CONFIRMATION_SLACK_SLOTS = 8
CONFIRMATION_RETRY_S = 0.3


def simulate(claimed: Claimed, workflow: Workflow, spec: WorkflowSpec) -> tuple[Prepared, int]:
    """Step 1: what this execution's transaction is and would do, and the number of its next attempt.

    Raises BuildFailed, SimulationFailed or NotNow (executions.errors).
    """
    if workflow.signer is None:
        raise BuildFailed("the workflow has no signer", code="signer_missing")
    number = claimed.attempts + 1
    prepared = prepare(
        gateway=gateway(),
        signer_address=workflow.signer.address,
        spec_actions=spec.actions,
        context=context_of(claimed, workflow),
        execution_id=claimed.execution_id,
        attempt=number,
        stage=claimed.trail.stage,
    )
    reach("simulated")
    return prepared, number


def require_confirmed(claimed: Claimed, workflow: Workflow) -> None:
    """A workflow that watches at `processed` detects, filters and simulates early, and signs only what has happened.

    Raises:
        NotNow: the event's slot is not confirmed yet.
        DroppedByFork: the confirmed chain has gone past that slot without it.
    """
    slot = claimed.event.get("slot")
    if workflow.commitment != Workflow.Commitment.PROCESSED or slot is None:
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


def context_of(claimed: Claimed, workflow: Workflow) -> dict[str, Any]:
    """What the templates of actions may read."""
    return {
        "event": claimed.event,
        "workflow": {"id": str(workflow.id), "name": workflow.name},
        "execution": {"id": claimed.execution_id, "created_at": claimed.created_at.isoformat()},
    }


def sign_elsewhere(claimed: Claimed, workflow: Workflow, prepared: Prepared) -> SignedTransaction | None:
    """The signature of a key that is not here, over exactly what was simulated; None where the key is here, which signs
    in `write_ahead`.

    A service is asked only for what every limit and pause lets pass, and with the outflow reserved. Until `write_ahead`
    has judged it again and stored it, the answer is in this call's memory alone; what fails in between is dropped, and
    was never sent.

    Raises:
        NotNow, SigningFailed: executions.keychain.
        Paused, LimitExceeded, ApprovalNeeded: as write_ahead; nobody was asked.
    """
    if workflow.signer is None or workflow.signer.is_local:
        return None
    with transaction.atomic():
        signer = _admit(claimed, workflow, prepared)
    return keychain.sign(signer, prepared.message, prepared.last_valid_block_height)


def _admit(claimed: Claimed, signer_of: Workflow, prepared: Prepared) -> Signer:
    """Under the locks, in the caller's transaction: this may be signed, and what leaves is reserved. Reserving again
    replaces. Raises as write_ahead."""
    installation = limits.lock_installation()
    workflow = limits.lock_workflows([claimed.workflow_id])[claimed.workflow_id].workflow
    if workflow.signer_id is None or workflow.signer_id != signer_of.signer_id:
        raise BuildFailed("the workflow's signer changed while its transaction was being built", code="signer_changed")
    signer = limits.lock_signer(workflow.signer_id)
    limits.refuse_if_paused(installation, workflow, signer)
    limits.reserve(execution_id=claimed.id, workflow=workflow, signer=signer, prepared=prepared, now=timezone.now())
    # Last, so that nobody is asked about what a limit refuses; what was just reserved goes with the transaction.
    approvals.require(claimed, workflow, prepared.outflow)
    return signer


def write_ahead(
    claimed: Claimed,
    signer_of: Workflow,
    prepared: Prepared,
    number: int,
    steps: list[dict[str, Any]],
    filter_trace: dict[str, Any],
    signed: SignedTransaction | None = None,
) -> Attempt:
    """Step 2. After its commit whoever is alive sends and follows the attempt; before it nothing happened. `signed`:
    where the key is not here, what its service signed.

    Raises:
        Paused: nothing may be signed now.
        LimitExceeded: with the figures; nothing was reserved.
        ApprovalNeeded: a person has to say yes first; nothing was reserved.
        LeaseLost: another worker has taken this execution over.
    """
    try:
        genesis_hash = gateway().genesis_hash()
    except (ChainError, WrongChain) as error:
        raise NotNow(str(error)) from error
    with transaction.atomic():
        signer = _admit(claimed, signer_of, prepared)
        now = timezone.now()
        signed = signed or open_signer(signer).sign(prepared.message, prepared.last_valid_block_height)
        done = [*steps, step(Step.SIGNED, now, {"signature": signed.signature, "attempt": number})]
        attempt = Attempt(
            execution_id=claimed.id,
            number=number,
            signer=signer,
            signature=signed.signature,
            raw=signed.raw,
            blockhash=signed.blockhash,
            last_valid_block_height=signed.last_valid_block_height,
            genesis_hash=genesis_hash,
            signed_at=now,
        )
        _store(attempt, claimed, done, filter_trace, prepared.simulation)
        reach("signing")
    reach("signed")
    return attempt


# Without the lease there is no attempt either. New columns of the table need a default in the database.
_STORE = """
WITH mine AS (
    UPDATE executions_execution SET waiting_for = 'confirmation', lease_token = NULL, lease_until = NULL,
        steps = steps || %(steps)s::jsonb, filter_trace = %(trace)s::jsonb, simulation = %(simulation)s::jsonb
    WHERE id = %(execution)s AND status = 'processing' AND lease_token = %(token)s
    RETURNING id
)
INSERT INTO executions_attempt (execution_id, number, signer_id, status, signature, raw, blockhash,
    last_valid_block_height, genesis_hash, signed_at, sends, unknown_answers)
SELECT id, %(number)s, %(signer)s, 'signed', %(signature)s, %(raw)s, %(blockhash)s, %(height)s, %(genesis)s, %(now)s, 0,
    '[]' FROM mine
RETURNING id
"""


def _store(
    attempt: Attempt,
    claimed: Claimed,
    steps: list[dict[str, Any]],
    filter_trace: dict[str, Any],
    simulation: dict[str, Any],
) -> None:
    """Write the attempt and hand its execution over to the confirmation round. Raises LeaseLost."""
    with prepared_cursor() as cursor:
        cursor.execute(
            _STORE,
            {
                "execution": claimed.id,
                "token": claimed.token,
                "steps": as_json(steps),
                "trace": stored_json.dumps(filter_trace),
                "simulation": stored_json.dumps(simulation),
                "number": attempt.number,
                "signer": attempt.signer_id,
                "signature": attempt.signature,
                "raw": attempt.raw,
                "blockhash": attempt.blockhash,
                "height": attempt.last_valid_block_height,
                "genesis": attempt.genesis_hash,
                "now": attempt.signed_at,
            },
        )
        stored = cursor.fetchone()
    if stored is None:
        raise LeaseLost(f"execution {claimed.execution_id} was taken over")
    (attempt.id,) = stored


# The nested EXISTS make PostgreSQL take the three locks in the order of executions.limits; a pause that is being
# written is waited for, and seen.
_MARK = """
WITH i AS (SELECT 1 FROM accounts_installation WHERE id = 1 AND paused_at IS NULL FOR SHARE),
w AS (
    SELECT 1 FROM workflows_workflow w JOIN executions_execution e ON e.workflow_id = w.id
    WHERE e.id = %(execution)s AND w.paused_at IS NULL AND EXISTS (SELECT FROM i) FOR SHARE OF w),
s AS (
    SELECT 1 FROM workflows_signer s WHERE s.id = %(signer)s AND s.paused_at IS NULL AND EXISTS (SELECT FROM w)
    FOR SHARE)
UPDATE executions_attempt SET sending_at = %(now)s
WHERE id = %(attempt)s AND sending_at IS NULL AND status = 'signed' AND EXISTS (SELECT FROM s)
"""


def mark_sending(attempt: Attempt) -> bool:
    """Step 3: allow the first send, unless something is paused. False: not allowed now, or marked by somebody else."""
    with prepared_cursor() as cursor:
        cursor.execute(
            _MARK,
            {
                "execution": attempt.execution_id,
                "signer": attempt.signer_id,
                "attempt": attempt.id,
                "now": timezone.now(),
            },
        )
        marked: bool = cursor.rowcount == 1
    reach("marked")
    return marked


# The first one that an endpoint may have taken is the step; rebroadcasts only count.
_RECORD_SEND = """
WITH before AS (SELECT id, status FROM executions_attempt WHERE id = %(attempt)s FOR NO KEY UPDATE),
a AS (
    UPDATE executions_attempt t SET last_sent_at = %(now)s, sends = t.sends + 1,
        status = CASE WHEN before.status = 'signed' AND %(taken)s THEN 'sent' ELSE before.status END
    FROM before WHERE t.id = before.id
    RETURNING t.execution_id, before.status = 'signed' AND %(taken)s AS is_first)
UPDATE executions_execution e SET steps = steps || %(steps)s::jsonb FROM a WHERE e.id = a.execution_id AND a.is_first
"""


def send(attempt: Attempt, *, everywhere: bool = False) -> None:
    """Step 4: hand the stored bytes over and write down that it was tried. Never raises for what the chain answers:
    whether they landed is found out by asking for the signature, never from the answer to a send."""
    try:
        gateway().rpc.send(bytes(attempt.raw), everywhere=everywhere)
        may_be_taken = True
    except ChainError as error:
        may_be_taken = isinstance(error, Ambiguous)
        log.info("send_not_taken", signature=attempt.signature, answer=f"{type(error).__name__}: {error}")
    reach("sent")
    now = timezone.now()
    sent = as_json([step(Step.SENT, now, {"signature": attempt.signature, "attempt": attempt.number})])
    with prepared_cursor() as cursor:
        cursor.execute(_RECORD_SEND, {"now": now, "attempt": attempt.id, "taken": may_be_taken, "steps": sent})
    live.tell([attempt.execution_id])
    reach("recorded")


def pay(
    claimed: Claimed,
    workflow: Workflow,
    prepared: Prepared,
    number: int,
    steps: list[dict[str, Any]],
    filter_trace: dict[str, Any],
) -> None:
    """Steps 2 to 4. Raises what `sign_elsewhere` and `write_ahead` raise; afterwards nothing that happens here matters
    for the outcome."""
    with claimed.trail.stage("sign"):
        signed = sign_elsewhere(claimed, workflow, prepared)
        attempt = write_ahead(claimed, workflow, prepared, number, steps, filter_trace, signed)
    started_ns = time.time_ns()
    if mark_sending(attempt):
        counters.SENT_SECONDS.observe((timezone.now() - claimed.created_at).total_seconds())
        send(attempt)
        claimed.trail.passed("send", started_ns, signature=attempt.signature, attempt=number)
