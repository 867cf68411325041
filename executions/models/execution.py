"""An event on its way, and what is counted about it."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Collate
from django.db.models.lookups import IsNull

from accounts.models import Team
from executions.models.moves import choices, only
from executions.states import EXECUTION_MOVES, Status, WaitingFor
from workflows.models import Workflow, WorkflowVersion


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
