"""The ledger. A row changes only by the transitions in executions.states, each in one short transaction.

Executions are found and grouped by plain numbers (`execution_id` columns are the key's id) instead of foreign keys with
constraints, so that old executions can be dropped by the month while the keys, which keep an event from running twice,
stay.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Collate
from django.db.models.lookups import IsNull

from accounts.models import Team
from executions.states import (
    ATTEMPT_MOVES,
    EXECUTION_MOVES,
    AttemptStatus,
    DeliveryStatus,
    Status,
    WaitingFor,
)
from workflows.models import Channel, Signer, Workflow, WorkflowVersion


def choices(enum: type) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in enum]  # type: ignore[attr-defined]


def only(moves: Mapping[Any, Collection[Any]]) -> pgtrigger.FSM:
    """The table of executions.states, kept by the database: a statement that breaks it fails, whoever wrote it."""
    pairs = [(old.value, new.value) for old, allowed in moves.items() for new in sorted(allowed)]
    moved = pgtrigger.Q(old__status__df=pgtrigger.F("new__status"))
    return pgtrigger.FSM(
        name="moves_as_the_table_says", field="status", transitions=pairs, separator=">", condition=moved
    )


class ExecutionKey(models.Model):
    """The identity of an execution, as long as anything could bring its event back. Its insert decides who is first."""

    id = models.BigAutoField(primary_key=True)
    execution_id = models.CharField(max_length=64, db_collation="C")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # Not `unique=True`, to which Django adds a second index for LIKE; in the C collation the first one serves that.
        constraints = [models.UniqueConstraint(fields=["execution_id"], name="one_execution_of_an_event")]

    def __str__(self) -> str:
        return self.execution_id


class Execution(models.Model):
    """One event of one workflow, and what became of it.

    Team, workflow and version are never deleted while they have executions (PROTECT; workflows only ever softly), and
    ingest reads them in the transaction that inserts. The database checks no foreign keys here: three look-ups and row
    locks an event were a third of the time of an ingest transaction (benchmarks/ingest.py).
    """

    id = models.BigIntegerField(primary_key=True, help_text="The id of its ExecutionKey.")
    execution_id = models.CharField(max_length=64, db_collation="C")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    workflow = models.ForeignKey(
        Workflow, on_delete=models.PROTECT, related_name="executions", db_index=False, db_constraint=False
    )
    version = models.ForeignKey(
        WorkflowVersion, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    trigger = models.CharField(max_length=30)
    event = models.JSONField()
    status = models.CharField(max_length=10, choices=choices(Status), default=Status.PENDING)
    waiting_for = models.CharField(max_length=12, choices=choices(WaitingFor), null=True, blank=True)
    dry_run = models.BooleanField(default=False)
    steps = models.JSONField(default=list)
    filter_trace = models.JSONField(null=True, blank=True)
    # What the last simulation said; the whole of `transaction` for a dry run.
    simulation = models.JSONField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True, default="")
    error_detail = models.TextField(blank=True, default="")
    replay_of = models.CharField(max_length=64, null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # The lists: a team's, a workflow's, by status. Newest first, by cursor.
            models.Index(fields=["team", "-created_at", "-id"], include=["status"], name="executions_of_a_team"),
            models.Index(fields=["workflow", "-created_at", "-id"], name="executions_of_a_workflow"),
            # The list by a final status, which may be rare: entered once, when an execution ends. The others are few,
            # and found by the claim's and the sweeper's.
            models.Index(
                fields=["team", "status", "-created_at", "-id"],
                condition=Q(status__in=["success", "failed", "filtered", "throttled"]),
                name="executions_ended",
            ),
            # The search (executions.search): by the event's account, newest first, and by its transaction. State
            # events have no signature.
            models.Index(
                F("team"),
                Collate(KT("event__account"), "C"),
                F("created_at").desc(),
                F("id").desc(),
                name="executions_by_account",
            ),
            models.Index(
                Collate(KT("event__signature"), "C"),
                condition=Q(IsNull(KT("event__signature"), False)),
                name="executions_by_signature",
            ),
            # The claim and the sweeper: what nobody works on.
            models.Index(fields=["created_at"], condition=Q(status="pending"), name="executions_pending"),
            # The sweeper: what somebody worked on and died; what waits for the chain or a person.
            models.Index(fields=["lease_until"], condition=Q(status="processing"), name="executions_in_work"),
        ]
        # Whoever writes a status, by whatever statement: StatusCount knows.
        triggers = [
            only(EXECUTION_MOVES),
            pgtrigger.Trigger(
                name="counted_when_made",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="made"),
                func="INSERT INTO executions_statuscount (team_id, status, change)"
                " SELECT team_id, status, count(*) FROM made GROUP BY team_id, status; RETURN NULL;",
            ),
            pgtrigger.Trigger(
                name="counted_when_moved",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="before", new="moved"),
                # One row for a whole batch; renewing a lease or appending a step finds nothing to write.
                func="INSERT INTO executions_statuscount (team_id, status, change)"
                " SELECT team_id, status, sum(change) FROM ("
                " SELECT b.team_id, b.status, -1 AS change FROM before b JOIN moved m USING (id)"
                " WHERE b.status <> m.status"
                " UNION ALL"
                " SELECT m.team_id, m.status, 1 FROM before b JOIN moved m USING (id) WHERE b.status <> m.status"
                " ) c GROUP BY team_id, status; RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return self.execution_id


class StatusCount(models.Model):
    """How many executions a team has had in a status: the sum of `change`. Written by triggers of Execution.

    Rows are only added, so that nobody waits for a counter's lock; executions.stats.fold makes one of many. They count
    what was pruned as well.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    status = models.CharField(max_length=10, choices=choices(Status))
    change = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.status} {self.change:+}"


class RateUnit(models.Model):
    """One unit of a workflow's hourly rate, taken by an execution that passed the filter."""

    execution_id = models.BigIntegerField(primary_key=True)
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        # The count over the rolling hour, under the workflow's lock.
        indexes = [models.Index(fields=["workflow", "at"], name="rate_of_a_workflow")]


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


class Delivery(models.Model):
    """One message to one channel; written in the transaction that completes its execution (none for a test message)."""

    execution_id = models.BigIntegerField(null=True, blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    outcome = models.CharField(max_length=10, help_text="A status that tells, recovered, reverted, paused or test.")
    template = models.JSONField(default=dict, help_text="The notification's part of the definition.")
    status = models.CharField(max_length=10, choices=choices(DeliveryStatus), default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    maybe_repeated = models.BooleanField(default=False)
    digest = models.CharField(
        max_length=80, null=True, blank=True, db_collation="C",
        help_text="Messages of one digest are sent as one, with the first of them: executions.gathering.",
    )  # fmt: skip
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["execution_id"], name="deliveries_of_an_execution"),
            # The sender's claim.
            models.Index(fields=["next_attempt_at"], condition=Q(status="pending"), name="deliveries_due"),
            # Of a digest only the first is claimed, and brings the others.
            models.Index(
                fields=["digest", "id"], condition=Q(status="pending", digest__isnull=False), name="deliveries_gathered"
            ),
            # The channels page: the newest message of each.
            models.Index(fields=["channel", "-id"], name="deliveries_of_a_channel"),
            # The list of messages.
            models.Index(fields=["team", "-id"], name="deliveries_of_a_team"),
            # The overview: what was given up lately.
            models.Index(fields=["team", "-id"], condition=Q(status="dead"), name="deliveries_dead"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} to {self.channel_id}"


class Quiet(models.Model):
    """Until when a notification with a cooldown tells nothing at once (executions.gathering)."""

    key = models.CharField(max_length=32, primary_key=True, db_collation="C")
    until = models.DateTimeField()
    gathers = models.BooleanField(default=False, help_text="Something waits to be told at its end.")

    class Meta:
        verbose_name_plural = "quiet times"

    def __str__(self) -> str:
        return f"{self.key[:8]} until {self.until:%H:%M:%S}"


class SendWindow(models.Model):
    """How much one destination of messages may still get: executions.pacing's state, moved under this row's lock.

    It is here and not in Redis because a receiver's bound must hold when Redis was flushed or two workers disagree.
    """

    bucket = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the destination, a secret itself.")
    state = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.bucket[:8]


class Heartbeat(models.Model):
    """A process that was alive at `at`: workers and listeners write theirs, /readyz and the dashboard read."""

    name = models.CharField(max_length=100, primary_key=True)
    kind = models.CharField(max_length=10)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name


class Tally(models.Model):
    """What all processes together have counted of one series in one hour (executions.tallies)."""

    hour = models.DateTimeField()
    name = models.CharField(max_length=100, db_collation="C")
    labels = models.CharField(max_length=500, db_collation="C", help_text="JSON with sorted keys.")
    value = models.FloatField()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(fields=["hour", "name", "labels"], name="one_tally_of_a_series_and_hour")
        ]

    def __str__(self) -> str:
        return f"{self.name}{self.labels}"
