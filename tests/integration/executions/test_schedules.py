"""A due time is one execution: whoever fires, dies, comes twice, comes late, or turns the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from accounts.actors import Actor
from chain.events import EventKey
from executions import schedules
from executions.intake import execution_id
from executions.models import Execution
from executions.schedules import fire_due
from executions.tasks import fire_schedules
from tests.waiting import wait_for
from workflows.models import Schedule, Workflow
from workflows.services.workflow import (
    workflow_create,
    workflow_delete,
    workflow_disable,
    workflow_enable,
    workflow_pause,
    workflow_update,
)

NINE = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
Make = Callable[..., Workflow]


def hourly(**trigger: Any) -> dict[str, Any]:
    return {"trigger": {"type": "schedule", "cron": "0 * * * *", **trigger}}


@pytest.fixture
def make(actor: Actor) -> Make:
    """A workflow that is due every hour, enabled at half past eight unless said otherwise."""

    def made(at: datetime = NINE - HOUR / 2, *, enabled: bool = True, **trigger: Any) -> Workflow:
        with time_machine.travel(at, tick=False):
            workflow = workflow_create(actor=actor, definition=hourly(**trigger), settings={"name": "tick"})
            return workflow_enable(actor=actor, workflow=workflow, enabled_at_slot=0) if enabled else workflow

    return made


def events(workflow: Workflow) -> list[tuple[str, int]]:
    """When each of its executions was due and how many it stands for beside itself, in their order."""
    rows = Execution.objects.filter(workflow=workflow).order_by("id").values_list("event", flat=True)
    return [(event["due_at"], event["missed"]) for event in rows]


def next_due_at(workflow: Workflow) -> datetime | None:
    return Schedule.objects.get(pk=workflow.pk).next_due_at


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_due_time_is_run_with_the_contracts_identity(make: Make) -> None:
    workflow = make()
    assert fire_due(NINE) == 1
    row = Execution.objects.get()
    assert row.execution_id == execution_id(workflow.id, EventKey(str(int(NINE.timestamp())), "schedule", "0"))
    assert (row.trigger, row.status, row.version_id) == ("schedule", "pending", workflow.version_id)
    assert row.event == {
        "type": "schedule",
        "slot": None,
        "signature": None,
        "account": None,
        "due_at": "2026-05-04T09:00:00Z",
        "missed": 0,
    }
    assert next_due_at(workflow) == NINE + HOUR


def test_nothing_runs_before_its_time_and_nothing_twice(make: Make) -> None:
    workflow = make()
    assert fire_due(NINE - timedelta(microseconds=1)) == 0
    assert [fire_due(NINE), fire_due(NINE), fire_due(NINE + HOUR - SECOND)] == [1, 0, 0]
    assert fire_due(NINE + HOUR + SECOND) == 1
    assert events(workflow) == [("2026-05-04T09:00:00Z", 0), ("2026-05-04T10:00:00Z", 0)]


def test_the_task_asks_the_clock(make: Make) -> None:
    workflow = make()
    with time_machine.travel(NINE + SECOND, tick=False):
        fire_schedules()
    assert events(workflow) == [("2026-05-04T09:00:00Z", 0)]


def test_what_was_due_when_it_was_enabled_never_runs(make: Make) -> None:
    workflow = make(at=NINE)
    assert next_due_at(workflow) == NINE + HOUR
    assert fire_due(NINE) == 0


def test_missed_runs_are_run_once_for_the_newest_with_the_number_of_the_others(make: Make) -> None:
    workflow = make(missed="run_once")
    assert fire_due(NINE + 5 * HOUR + timedelta(minutes=20)) == 1
    assert events(workflow) == [("2026-05-04T14:00:00Z", 5)]
    assert next_due_at(workflow) == NINE + 6 * HOUR


def test_missed_runs_are_skipped_where_the_workflow_says_so(make: Make) -> None:
    workflow = make(missed="skip")
    assert fire_due(NINE + 5 * HOUR + timedelta(minutes=20)) == 0
    assert next_due_at(workflow) == NINE + 6 * HOUR
    assert fire_due(NINE + 6 * HOUR) == 1
    assert events(workflow) == [("2026-05-04T15:00:00Z", 0)]


@pytest.mark.parametrize(("late_s", "runs"), [(schedules.SKIP_AFTER_S, 1), (schedules.SKIP_AFTER_S + 1, 0)])
def test_skipping_begins_where_it_says(make: Make, late_s: float, runs: int) -> None:
    make(missed="skip")
    assert fire_due(NINE + timedelta(seconds=late_s)) == runs


def test_a_run_over_a_daylight_saving_change_is_due_by_the_zones_clock(make: Make) -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    workflow = make(at=before, cron="30 2 * * *", timezone="Europe/Berlin")
    for hours in range(48):
        fire_due(before + hours * HOUR)
    assert events(workflow) == [("2026-03-29T01:00:00Z", 0), ("2026-03-30T00:30:00Z", 0)]


def test_what_dies_before_its_commit_has_done_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    class Death(BaseException):
        pass

    def die(point: str) -> None:
        raise Death

    workflow = make()
    with monkeypatch.context() as patched, pytest.raises(Death):
        patched.setattr(schedules, "reach", die)
        fire_due(NINE)
    assert (events(workflow), next_due_at(workflow)) == ([], NINE)
    assert fire_due(NINE + SECOND) == 1
    assert events(workflow) == [("2026-05-04T09:00:00Z", 0)]


def test_a_clock_that_is_set_back_runs_nothing_again(make: Make) -> None:
    workflow = make()
    fire_due(NINE + 2 * HOUR)
    assert [fire_due(NINE + minutes * timedelta(minutes=1)) for minutes in range(0, 120, 10)] == [0] * 12
    fire_due(NINE + 3 * HOUR)
    assert events(workflow) == [("2026-05-04T11:00:00Z", 2), ("2026-05-04T12:00:00Z", 0)]


def test_a_row_that_was_put_back_meets_its_key(make: Make) -> None:
    """A restored backup, or an enabling by a machine whose clock is behind."""
    workflow = make()
    fire_due(NINE)
    Schedule.objects.update(next_due_at=NINE)
    assert fire_due(NINE + SECOND) == 0
    assert next_due_at(workflow) == NINE + HOUR


def test_a_disabled_or_deleted_workflow_has_no_schedule(make: Make, actor: Actor) -> None:
    disabled, deleted = make(), make()
    disabled = workflow_disable(actor=actor, workflow=disabled)
    workflow_delete(actor=actor, workflow=deleted)
    assert (fire_due(NINE), Schedule.objects.count(), disabled.next_due_at) == (0, 0, None)


def test_enabling_again_begins_afresh(make: Make, actor: Actor) -> None:
    workflow = workflow_disable(actor=actor, workflow=make())
    with time_machine.travel(NINE + 3 * HOUR + SECOND, tick=False):
        workflow = workflow_enable(actor=actor, workflow=workflow, enabled_at_slot=0)
    assert workflow.next_due_at == NINE + 4 * HOUR
    assert fire_due(NINE + 3 * HOUR + 2 * SECOND) == 0


def test_a_changed_time_begins_now(make: Make, actor: Actor) -> None:
    workflow = make()
    with time_machine.travel(NINE + SECOND, tick=False):
        changed = {"definition": hourly(cron="15 * * * *")}
        workflow = workflow_update(actor=actor, workflow=workflow, changes=changed)
    assert workflow.next_due_at == NINE + HOUR / 4
    assert fire_due(NINE + SECOND) == 0


def test_a_change_of_something_else_keeps_what_is_overdue(make: Make, actor: Actor) -> None:
    workflow = make(missed="skip")
    with time_machine.travel(NINE + HOUR / 2, tick=False):
        changed = {"definition": {**hourly(missed="run_once"), "actions": []}, "name": "tock"}
        workflow = workflow_update(actor=actor, workflow=workflow, changes=changed)
    assert fire_due(NINE + HOUR / 2) == 1
    assert Execution.objects.get().version_id == workflow.version_id


def test_another_trigger_has_no_schedule_and_takes_it_back(make: Make, actor: Actor) -> None:
    workflow = make()
    workflow = workflow_update(actor=actor, workflow=workflow, changes={"definition": {"trigger": {"type": "manual"}}})
    assert (workflow.next_due_at, fire_due(NINE)) == (None, 0)
    with time_machine.travel(NINE + SECOND, tick=False):
        workflow = workflow_update(actor=actor, workflow=workflow, changes={"definition": hourly()})
    assert workflow.next_due_at == NINE + HOUR


def test_a_workflow_that_is_not_enabled_has_no_schedule(make: Make, actor: Actor) -> None:
    workflow = make(enabled=False)
    workflow = workflow_update(actor=actor, workflow=workflow, changes={"definition": hourly(cron="5 * * * *")})
    assert (workflow.next_due_at, Schedule.objects.count()) == (None, 0)


def test_a_paused_workflow_records_its_due_times(make: Make, actor: Actor) -> None:
    workflow = workflow_pause(actor=actor, workflow=make(), reason="holiday")
    assert fire_due(NINE) == 1
    assert events(workflow) == [("2026-05-04T09:00:00Z", 0)]


def test_more_than_a_batch_is_fired_in_one_go(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "BATCH", 2)
    for _ in range(5):
        make()
    assert fire_due(NINE) == 5
    assert Execution.objects.values("workflow").distinct().count() == 5


def test_a_row_that_cannot_be_read_stops_alone(make: Make) -> None:
    lost, sound = make(), make()
    Schedule.objects.filter(pk=lost.pk).update(timezone="Mars/Olympus_Mons")
    assert fire_due(NINE) == 1
    assert (events(lost), next_due_at(lost)) == ([], None)
    assert (events(sound), next_due_at(sound)) == ([("2026-05-04T09:00:00Z", 0)], NINE + HOUR)


@pytest.mark.django_db(transaction=True)
def test_two_that_fire_at_once_run_it_once(make: Make) -> None:
    workflows = [make() for _ in range(20)]
    started: list[int] = []
    together = threading.Barrier(4)

    def fire() -> None:
        together.wait()
        started.append(fire_due(NINE))
        connection.close()

    threads = [threading.Thread(target=fire) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fire_due(NINE)  # a row that was passed by while somebody held it
    assert sum(started) <= 20
    assert [events(workflow) for workflow in workflows] == [[("2026-05-04T09:00:00Z", 0)]] * 20


@pytest.mark.django_db(transaction=True)
def test_one_that_is_being_disabled_at_its_due_second_is_passed_by(make: Make, actor: Actor) -> None:
    """Whichever commits first decides; here the disabling holds the row, and firing does not wait for it."""
    workflow, started = make(), []

    def fire() -> None:
        started.append(fire_due(NINE))
        connection.close()

    with transaction.atomic():
        workflow_disable(actor=actor, workflow=workflow)
        thread = threading.Thread(target=fire)
        thread.start()
        thread.join(timeout=10)
    assert started == [0]
    assert (fire_due(NINE), events(workflow)) == (0, [])


@pytest.mark.django_db(transaction=True)
def test_one_that_fires_while_it_is_disabled_has_fired_before(
    make: Make, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = make()
    firing = threading.Event()

    def wait_for_the_other(point: str) -> None:
        firing.set()
        wait_for(somebody_waits_for_a_lock, what="the disabling waits for the row")

    def fire() -> None:
        fire_due(NINE)
        connection.close()

    monkeypatch.setattr(schedules, "reach", wait_for_the_other)
    thread = threading.Thread(target=fire)
    thread.start()
    assert firing.wait(10)
    workflow_disable(actor=actor, workflow=workflow)  # waits for the row until the event is committed
    assert events(workflow) == [("2026-05-04T09:00:00Z", 0)]
    thread.join()
    assert Schedule.objects.count() == 0
