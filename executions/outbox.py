"""Reads of messages, in the API's shape; a constant number of queries however many rows are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from accounts.errors import Missing
from accounts.models import Team
from executions.models import Delivery, Execution
from executions.selectors import moment
from executions.states import DeliveryStatus
from workflows.models import Channel

MAX_ID = 2**63 - 1


def delivery_list(*, team: Team) -> QuerySet[Delivery]:
    """The team's messages with their channels, newest first."""
    rows = Delivery.objects.filter(team=team).select_related("channel").defer("channel__sealed", "channel__sealed_key")
    return rows.order_by("-id")


def delivery_get(*, team: Team, delivery_id: int) -> Delivery:
    """One message of the team.

    Raises:
        Missing: there is none, or it is another team's.
    """
    known = delivery_list(team=team).filter(pk=delivery_id) if delivery_id <= MAX_ID else None
    found = known.first() if known is not None else None
    if found is None:
        raise Missing("there is no such message")
    return found


def dead_count(*, team: Team, at_most: int, channel: Channel | None = None) -> int:
    """How many dead letters the team, or one channel, has, counted up to `at_most`."""
    dead = Delivery.objects.filter(team=team, status=DeliveryStatus.DEAD)
    if channel is not None:
        dead = dead.filter(channel=channel)
    return len(dead.values_list("pk")[:at_most])


def executions_of(deliveries: Sequence[Delivery]) -> dict[int, Execution]:
    """What the messages tell of, with the workflow, by the row's id; those that are no longer kept are left out."""
    ids = {delivery.execution_id for delivery in deliveries if delivery.execution_id is not None}
    rows = Execution.objects.filter(id__in=ids).select_related("workflow")
    return {row.id: row for row in rows.only("id", "execution_id", "workflow__name")}


def delivery_rows(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Messages as the API shows them."""
    executions = executions_of(deliveries)
    return [_row(delivery, executions.get(delivery.execution_id or 0)) for delivery in deliveries]


def _row(delivery: Delivery, execution: Execution | None) -> dict[str, Any]:
    is_pending = delivery.status == DeliveryStatus.PENDING
    return {
        "id": delivery.pk,
        "channel": str(delivery.channel_id),
        "channel_name": delivery.channel.name,
        "workflow": str(execution.workflow_id) if execution else None,
        "execution": execution.execution_id if execution else None,
        "outcome": delivery.outcome,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "maybe_repeated": delivery.maybe_repeated,
        "error": delivery.error or None,
        "created_at": moment(delivery.created_at),
        "next_attempt_at": moment(delivery.next_attempt_at) if is_pending else None,
        "delivered_at": moment(delivery.delivered_at),
    }
