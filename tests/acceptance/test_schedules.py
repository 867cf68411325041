"""Schedules with real processes: a worker that dies while it fires, then two of everything."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.actors import Actor, system
from accounts.services import default_team
from executions.models import Execution
from tests.stack import Stack
from tests.waiting import wait_for
from workflows.models import Schedule, Workflow
from workflows.services.workflow import workflow_create, workflow_enable

pytestmark = pytest.mark.django_db(transaction=True)

ON_TIME_S = 2.0  # beat's second, and one for a machine that runs all of this


@pytest.fixture
def workflow() -> Workflow:
    """Due once a year: a test says when."""
    actor: Actor = system(default_team(), "test")
    definition = {"trigger": {"type": "schedule", "cron": "0 0 1 1 *"}}
    made = workflow_create(actor=actor, definition=definition, settings={"name": "tick"})
    return workflow_enable(actor=actor, workflow=made, enabled_at_slot=0)


def due_in(seconds: int) -> str:
    """Let every schedule be due then; gives the time as events have it."""
    due_at = (timezone.now() + timedelta(seconds=seconds)).replace(microsecond=0)
    Schedule.objects.update(next_due_at=due_at)
    return f"{due_at:%Y-%m-%dT%H:%M:%SZ}"


def test_a_due_time_is_run_once_though_a_worker_dies_and_two_of_everything_fire(
    stack: Stack, workflow: Workflow
) -> None:
    stack.start("worker", SOLFLOW_CRASH_AT="schedules_firing")
    stack.start("beat")
    first = due_in(0)
    wait_for(lambda: not stack.worker.running, 20, "the worker dies while it fires")
    assert Execution.objects.count() == 0

    others = [stack.another_worker(), stack.another_worker(), stack.another_beat()]
    for process in others:
        process.launch()
    for process in others:
        process.wait_until_ready()
    wait_for(lambda: Execution.objects.filter(status="success").count() == 1, 20, "the due time has run")
    second = due_in(3)
    wait_for(lambda: Execution.objects.filter(status="success").count() == 2, 20, "the second due time has run")

    rows = Execution.objects.order_by("id")
    assert [row.event["due_at"] for row in rows] == [first, second]
    started_at = next(step["at"] for step in rows[1].steps if step["name"] == "detected")
    assert (
        timedelta(0)
        <= datetime.fromisoformat(started_at) - datetime.fromisoformat(second)
        < timedelta(seconds=ON_TIME_S)
    )
