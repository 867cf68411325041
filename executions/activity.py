"""Figures beside the rows of lists: what workflows, signers and channels did lately. One query each, however many rows.

"Spent" is what the chain has charged: reservations that are settled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BigIntegerField, Count, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Team
from executions.models import Delivery, Execution, Reservation
from executions.states import Status
from workflows.models import Channel, Signer, Workflow

LATELY = timedelta(hours=24)
BUCKET = timedelta(minutes=30)
BUCKET_WORDS = "30 minutes"

_VOLUME = """
SELECT date_bin(make_interval(secs => %(bucket_s)s), created_at, 'epoch'), status, count(*) FROM executions_execution
WHERE team_id = %(team)s AND created_at >= %(since)s GROUP BY 1, 2
"""


def volume(*, team: Team) -> list[dict[str, Any]]:
    """`[{"start", "success", "failed", "other"}]` of the last 24 hours, oldest first, an entry for every half hour."""
    now = timezone.now()
    last = now - timedelta(seconds=now.timestamp() % BUCKET.total_seconds())
    starts = [last - BUCKET * back for back in reversed(range(LATELY // BUCKET))]
    buckets = {round(start.timestamp()): {"start": start, "success": 0, "failed": 0, "other": 0} for start in starts}
    with connection.cursor() as cursor:
        cursor.execute(_VOLUME, {"team": team.pk, "since": starts[0], "bucket_s": BUCKET.total_seconds()})
        for start, status, count in cursor.fetchall():
            if bucket := buckets.get(round(start.timestamp())):
                bucket[status if status in (Status.SUCCESS, Status.FAILED) else "other"] += count
    return list(buckets.values())


def counts_24h(workflows: Sequence[Workflow]) -> dict[UUID, dict[str, int]]:
    """By workflow, how many of its executions of the last 24 hours have which status."""
    recent = Execution.objects.filter(workflow__in=workflows, created_at__gte=timezone.now() - LATELY)
    counts: dict[UUID, dict[str, int]] = defaultdict(dict)
    for workflow_id, status, count in recent.values_list("workflow_id", "status").annotate(Count("id")).order_by():
        counts[workflow_id][status] = count
    return {workflow.id: counts[workflow.id] for workflow in workflows}


def funnel_24h(workflow: Workflow) -> dict[str, int]:
    """How far the events of the last 24 hours came: `events`, `passed` (the filter), `success`, `failed`."""
    counts = counts_24h([workflow])[workflow.id]
    events = sum(counts.values())
    held_back = counts.get(Status.FILTERED, 0) + counts.get(Status.PENDING, 0)
    return {
        "events": events,
        "passed": events - held_back,
        "success": counts.get(Status.SUCCESS, 0),
        "failed": counts.get(Status.FAILED, 0),
    }


def last_runs(workflows: Sequence[Workflow]) -> dict[UUID, datetime]:
    """When the newest execution of each workflow began; those that never ran are left out."""
    newest = Execution.objects.filter(workflow=OuterRef("pk")).order_by("-created_at", "-id").values("created_at")[:1]
    rows = Workflow.objects.filter(pk__in=[workflow.pk for workflow in workflows]).annotate(last=Subquery(newest))
    return {pk: at for pk, at in rows.values_list("pk", "last") if at is not None}


def spent_24h_by_workflow(workflows: Sequence[Workflow]) -> dict[UUID, int]:
    """Lamports by workflow; those that spent nothing are left out."""
    rows = _spent().filter(workflow__in=workflows).values_list("workflow_id").annotate(Sum("lamports"))
    return {workflow_id: int(total) for workflow_id, total in rows.order_by()}


def with_spending(signers: QuerySet[Signer]) -> QuerySet[Signer]:
    """The same signers, each with `spent_24h`, its lamports."""
    own = _spent().filter(signer=OuterRef("pk")).order_by().values("signer").annotate(total=Sum("lamports"))
    return signers.annotate(spent_24h=Coalesce(Subquery(own.values("total")), 0, output_field=BigIntegerField()))


def last_deliveries(channels: Sequence[Channel]) -> dict[UUID, Delivery]:
    """The newest message to each channel; those that never got one are left out."""
    newest = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-id").values("id")[:1]
    ids = Channel.objects.filter(pk__in=[channel.pk for channel in channels]).values(newest=Subquery(newest))
    return {delivery.channel_id: delivery for delivery in Delivery.objects.filter(id__in=ids)}


def _spent() -> QuerySet[Reservation]:
    return Reservation.objects.filter(status=Reservation.Status.SETTLED, at__gte=timezone.now() - LATELY)
