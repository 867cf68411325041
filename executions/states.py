"""The two tables by which an execution and its attempts live. Pure; everything that changes a status asks here.

An execution:

    pending ──► processing ──► success ──reverted──► processing
       │            ├────────► failed    ──retry───► pending     (──reverted─► processing, like success)
       │            ├────────► filtered
       │            └────────► throttled ──retry───► pending
       └─ waiting_for: pause, or a person's approval; a processing one: the chain's confirmation, or a person

An attempt (one signed transaction):

    signed ──► sent ──► confirmed ──► finalized
       │        ├─────► failed       it landed and the program said no: fees are paid, the end
       │        ├─────► expired      proof that it can never land: the only licence to sign again
       └────────┴─────► unknown      nobody could say for too long; a person decides; may still turn out landed
                        confirmed ─► sent   it vanished in a fork before it was final (`reverted`)

Three answers from the chain: yes, no, don't know. "Don't know" moves nothing.
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"
    FILTERED = "filtered"
    THROTTLED = "throttled"


class WaitingFor(StrEnum):
    APPROVAL = "approval"
    PAUSE = "pause"
    CONFIRMATION = "confirmation"
    PERSON = "person"


class AttemptStatus(StrEnum):
    SIGNED = "signed"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Step(StrEnum):
    """What an execution went through, in the contract's words; one may occur again."""

    DETECTED = "detected"
    QUEUED = "queued"
    FILTERED = "filtered"
    PASSED = "passed"
    LIMITS = "limits"
    SIMULATED = "simulated"
    APPROVED = "approved"
    SIGNED = "signed"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"
    REVERTED = "reverted"
    RESOLVED = "resolved"
    NOTIFIED = "notified"


EXECUTION_MOVES: dict[Status, frozenset[Status]] = {
    # A row that is held and ended in one transaction is never seen processing.
    Status.PENDING: frozenset({Status.PROCESSING, Status.SUCCESS, Status.FAILED, Status.FILTERED, Status.THROTTLED}),
    # Back to pending: its worker gives it back (pause, shutdown), or everything that was signed for it has expired.
    Status.PROCESSING: frozenset({Status.PENDING, Status.SUCCESS, Status.FAILED, Status.FILTERED, Status.THROTTLED}),
    # Only by `reverted`.
    Status.SUCCESS: frozenset({Status.PROCESSING}),
    # Only by a person's retry, and only when no attempt can land; a failed transaction too can vanish in a fork.
    Status.FAILED: frozenset({Status.PENDING, Status.PROCESSING}),
    Status.THROTTLED: frozenset({Status.PENDING}),
    Status.FILTERED: frozenset(),
}

ATTEMPT_MOVES: dict[AttemptStatus, frozenset[AttemptStatus]] = {
    AttemptStatus.SIGNED: frozenset(
        {
            AttemptStatus.SENT,
            AttemptStatus.CONFIRMED,
            AttemptStatus.FINALIZED,
            AttemptStatus.FAILED,
            AttemptStatus.EXPIRED,
            AttemptStatus.UNKNOWN,
        }
    ),
    AttemptStatus.SENT: frozenset(
        {
            AttemptStatus.CONFIRMED,
            AttemptStatus.FINALIZED,
            AttemptStatus.FAILED,
            AttemptStatus.EXPIRED,
            AttemptStatus.UNKNOWN,
        }
    ),
    AttemptStatus.CONFIRMED: frozenset({AttemptStatus.FINALIZED, AttemptStatus.SENT}),
    AttemptStatus.UNKNOWN: frozenset(
        {AttemptStatus.CONFIRMED, AttemptStatus.FINALIZED, AttemptStatus.FAILED, AttemptStatus.EXPIRED}
    ),
    # A failed transaction landed, so a fork can take it back too.
    AttemptStatus.FAILED: frozenset({AttemptStatus.SENT}),
    AttemptStatus.FINALIZED: frozenset(),
    AttemptStatus.EXPIRED: frozenset(),
}

FINAL: frozenset[Status] = frozenset({Status.SUCCESS, Status.FAILED, Status.FILTERED, Status.THROTTLED})
# Nobody can promise any more that such an attempt will not take effect.
MAY_LAND: frozenset[AttemptStatus] = frozenset({AttemptStatus.SIGNED, AttemptStatus.SENT, AttemptStatus.UNKNOWN})
LANDED: frozenset[AttemptStatus] = frozenset({AttemptStatus.CONFIRMED, AttemptStatus.FINALIZED, AttemptStatus.FAILED})


def may_move(old: Status, new: Status) -> bool:
    """Whether an execution may go from `old` to `new`."""
    return new in EXECUTION_MOVES[old]


def attempts_before(new: AttemptStatus) -> list[AttemptStatus]:
    """The statuses from which an attempt may become `new`: what a conditional UPDATE compares."""
    return [old for old, allowed in ATTEMPT_MOVES.items() if new in allowed]
