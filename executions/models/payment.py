"""What was asked, reserved, signed and landed for an execution."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.db.models import Q

from accounts.models import Team
from executions.models.moves import choices, only
from executions.states import ATTEMPT_MOVES, AttemptStatus
from workflows.models import Signer, Workflow, WorkflowVersion


class Attempt(models.Model):
    """One signed transaction, stored before its first send. The same bytes may be sent any number of times.

    `sending_at` is the mark set under the pause locks just before the first send: without it the bytes have never left
    this machine.
    """

    execution_id = models.BigIntegerField()
    number = models.PositiveSmallIntegerField()
    signer = models.ForeignKey(Signer, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=10, choices=choices(AttemptStatus), default=AttemptStatus.SIGNED)
    signature = models.CharField(max_length=88, unique=True, db_collation="C")
    raw = models.BinaryField()
    blockhash = models.CharField(max_length=44)
    last_valid_block_height = models.BigIntegerField()
    genesis_hash = models.CharField(max_length=44)
    signed_at = models.DateTimeField()
    sending_at = models.DateTimeField(null=True, blank=True)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    sends = models.PositiveIntegerField(default=0)
    slot = models.BigIntegerField(null=True, blank=True)
    fee_lamports = models.BigIntegerField(null=True, blank=True)
    compute_units = models.BigIntegerField(null=True, blank=True)
    logs = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    # Found on the chain by its memo: this database has no record of signing it (executions.recovery).
    recovered = models.BooleanField(default=False, db_default=False)
    # Slots at which an endpoint answered "unknown" after the block height had passed: the evidence for signing again.
    unknown_answers = models.JSONField(default=list)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    finalized_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["execution_id", "number"], name="one_attempt_of_a_number")]
        triggers = [only(ATTEMPT_MOVES)]
        indexes = [
            # The confirmation round: whatever may still land, or vanish in a fork.
            models.Index(
                fields=["id"],
                condition=Q(finalized_at=None) & ~Q(status="expired"),
                name="attempts_in_flight",
            )
        ]

    def __str__(self) -> str:
        return self.signature


class Approval(models.Model):
    """A payment that a person was asked about, and the answer (executions.approvals). The newest one counts."""

    WAITING, APPROVED, REFUSED, EXPIRED = "waiting", "approved", "refused", "expired"

    execution_id = models.BigIntegerField(db_index=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=10, default=WAITING)
    # What was shown, and at most what it covers.
    lamports = models.BigIntegerField()
    tokens = models.JSONField(default=dict)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # How many people it takes, and who has said yes so far (Actor.person).
    needed = models.PositiveSmallIntegerField(default=1, db_default=1)
    approved_by = models.JSONField(default=list, db_default=[])
    answered_by = models.CharField(max_length=200, blank=True, default="")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], condition=Q(status="waiting"), name="approvals_waiting")]
        constraints = [
            models.UniqueConstraint(
                fields=["execution_id"], condition=Q(status="waiting"), name="one_open_question_of_an_execution"
            )
        ]

    def __str__(self) -> str:
        return f"{self.lamports} lamports: {self.status}"

    def covers(self, lamports: int, tokens: Mapping[str, int]) -> bool:
        """Whether no more leaves than was shown."""
        return lamports <= self.lamports and all(
            amount <= int(self.tokens.get(mint, 0)) for mint, amount in tokens.items()
        )


class Reservation(models.Model):
    """What an execution may take out of a signer, reserved before signing; settled with what the chain charged.

    An execution has one that is open at most; one that was retried after a transaction which landed and failed has a
    settled one, its fee, beside it.
    """

    class Status(models.TextChoices):
        RESERVED = "reserved"
        SETTLED = "settled"
        RELEASED = "released"

    execution_id = models.BigIntegerField()
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="+", db_index=False)
    signer = models.ForeignKey(Signer, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RESERVED)
    lamports = models.BigIntegerField()
    tokens = models.JSONField(default=dict)
    # The part of both that no balance shows, as {"lamports": …, "tokens": {mint: …}}: what a new delegate or authority
    # may take later. It stays in the sums when the rest is settled with what the chain charged.
    granted = models.JSONField(default=dict, db_default={})
    at = models.DateTimeField()

    class Meta:
        indexes = [
            # The sums over the rolling 24 hours, under the locks of executions.limits.
            models.Index(fields=["workflow", "at"], condition=~Q(status="released"), name="spent_by_a_workflow"),
            models.Index(fields=["signer", "at"], condition=~Q(status="released"), name="spent_by_a_signer"),
            models.Index(fields=["execution_id"], name="reservations_of_an_execution"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["execution_id"], condition=Q(status="reserved"), name="one_open_reservation_of_an_execution"
            )
        ]


class LandedMemo(models.Model):
    """A transaction of one of our signers, known by its memo alone: the execution is not in this database (yet).

    Written by executions.recovery after a restore. When the listener reads the event back, its execution finds this
    row before it signs anything, and is recorded as done.
    """

    prefix = models.CharField(max_length=16, db_collation="C", help_text="The first 16 hex digits of the execution id.")
    number = models.PositiveSmallIntegerField()
    signer = models.ForeignKey(Signer, on_delete=models.PROTECT, related_name="+", db_index=False)
    signature = models.CharField(max_length=88, unique=True, db_collation="C")
    slot = models.BigIntegerField()
    error = models.JSONField(null=True, blank=True)
    found_at = models.DateTimeField()

    class Meta:
        # Asked before an execution signs.
        indexes = [models.Index(fields=["prefix"], name="landed_memos_of_an_execution")]

    def __str__(self) -> str:
        return f"{self.prefix}:{self.number}"


class SignerHistory(models.Model):
    """How far a signer's finalized transactions have been compared with the ledger (executions.recovery)."""

    signer = models.OneToOneField(Signer, on_delete=models.CASCADE, primary_key=True, related_name="+")
    slot = models.BigIntegerField()
    signature = models.CharField(max_length=88)
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.signer_id} up to slot {self.slot}"
