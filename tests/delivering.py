"""What tests of messages have in common: rows to send, and rounds of sending until something is so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from executions.models import Delivery, Execution
from executions.notify import deliver_due
from tests.waiting import wait_for
from workflows.models import Channel

TOKEN = "a-token-that-nobody-may-see"


def message(channel: Channel, execution: Execution | None = None, **values: Any) -> Delivery:
    defaults = {"outcome": "success" if execution else "test", "next_attempt_at": timezone.now()}
    execution_id = None if execution is None else execution.id
    return Delivery.objects.create(
        execution_id=execution_id, team_id=channel.team_id, channel=channel, **{**defaults, **values}
    )


def deliver_until(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    def round_and_condition() -> bool:
        deliver_due()
        return condition()

    wait_for(round_and_condition, timeout_s, "what was to be delivered")


def ended(*rows: Delivery) -> Callable[[], bool]:
    return lambda: not Delivery.objects.filter(pk__in=[row.pk for row in rows], status="pending").exists()


def delivered(row: Delivery) -> Delivery:
    deliver_until(ended(row))
    row.refresh_from_db()
    return row
