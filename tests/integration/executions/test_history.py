"""History is read from a real streaming replica: only what is over, only while it is near, and never around what
somebody has just done himself. The replica is held back to show who answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Role
from executions import history
from executions.models import Execution, Heartbeat
from solflow.doctor.servers import replica as examined
from tests.executing import balance_event, new_address, take_events
from tests.people import Person, person
from tests.services import Services
from tests.standby import Standby
from tests.waiting import wait_for
from workflows.services.workflow import workflow_create, workflow_enable

pytestmark = [
    pytest.mark.usefixtures("server"),
    pytest.mark.django_db(transaction=True, databases=["default", "replica"]),
    pytest.mark.timeout(120),
]

LONG_AGO = timedelta(hours=1)


@pytest.fixture(scope="module")
def server(services: Services) -> Iterator[Standby]:
    standby = Standby()
    with standby.as_replica():
        yield standby
        standby.stop()


@pytest.fixture
def standby(server: Standby, transactional_db: None, settings: Any) -> Iterator[Standby]:
    server.start()
    settings.DATABASE_ROUTERS = ["executions.history.HistoryRouter"]
    history.nearness.cache_clear()
    yield server
    history.nearness.cache_clear()
    server.stop()


@pytest.fixture
def alice(transactional_db: None) -> Person:
    return person("alice", Role.ADMIN)


@pytest.fixture
def old(standby: Standby, alice: Person) -> Execution:
    """An execution that failed long ago, on the replica too, which is near."""
    row = failed(alice, LONG_AGO)
    Heartbeat.objects.create(name="w", kind="worker", at=timezone.now())
    wait_for(lambda: history.behind_s() < 5, 20, "the replica is near")
    return row


def failed(alice: Person, ago: timedelta) -> Execution:
    watched, then = new_address(), timezone.now() - ago
    definition = {"trigger": {"type": "balance_change", "address": watched}}
    made = workflow_create(actor=alice.actor, definition=definition, settings={"name": "watch"})
    workflow = workflow_enable(actor=alice.actor, workflow=made, enabled_at_slot=0)
    (row_id,) = take_events(workflow, [balance_event(watched, 10)])
    rows = Execution.objects.filter(id=row_id)
    rows.update(status="processing")
    rows.update(status="failed", error_code="x", error_detail="as it was", created_at=then, completed_at=then)
    return rows.get()


def change(row: Execution) -> None:
    Execution.objects.filter(id=row.id).update(error_detail="as it is")


def detail(client: APIClient, row: Execution) -> str:
    answer = client.get(f"/api/v1/executions/{row.execution_id}/")
    assert answer.status_code == 200, answer.content
    told: str = answer.json()["error"]["detail"]
    return told


def test_what_is_over_is_read_from_the_replica(standby: Standby, alice: Person, old: Execution):
    standby.hold()
    change(old)
    assert detail(alice.client(), old) == "as it was"
    browser = Client()
    browser.force_login(alice.user)
    assert "as it was" in browser.get(f"/executions/{old.execution_id}/").content.decode()


def test_what_is_going_on_is_read_from_the_primary(standby: Standby, alice: Person, old: Execution):
    for changed in ({"completed_at": timezone.now()}, {"completed_at": None}):
        Execution.objects.filter(id=old.id).update(error_detail="as it was", **changed)
        there = Execution.objects.using("replica").filter(id=old.id)
        wait_for(lambda rows=there, to=changed: rows.filter(**to).exists(), 10, "the replica has it")
        standby.hold()
        change(old)
        assert detail(alice.client(), old) == "as it is"
        standby.read_on()


def test_what_the_replica_has_not_yet_is_read_from_the_primary(standby: Standby, alice: Person, old: Execution):
    standby.hold()
    assert detail(alice.client(), failed(alice, LONG_AGO)) == "as it was"


def test_whoever_has_changed_something_sees_it_at_once(standby: Standby, alice: Person, old: Execution):
    bob = person("bob", Role.OPERATOR)
    standby.hold()
    change(old)
    assert alice.client().post("/api/v1/channels/", {}, format="json").status_code == 400
    assert detail(alice.client(), old) == "as it is"
    assert detail(bob.client(), old) == "as it was"


def test_a_list_of_the_past_is_read_from_the_replica_and_the_newest_from_the_primary(
    standby: Standby, alice: Person, old: Execution
):
    standby.hold()
    change(old)

    def listed(**narrowed: str) -> list[str]:
        answer = alice.client().get("/api/v1/executions/", narrowed).json()
        return [row["error"]["detail"] for row in answer["results"]]

    past, now = (timezone.now() - timedelta(minutes=5)).isoformat(), timezone.now().isoformat()
    assert listed(created_before=past) == ["as it was"]
    assert listed(created_before=now) == listed() == ["as it is"]


def test_a_replica_that_is_far_behind_is_not_read(standby: Standby, alice: Person, old: Execution):
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=60))
    wait_for(lambda: history.behind_s() > 50, 10, "the replica is behind")
    standby.hold()
    change(old)
    history.nearness.cache_clear()
    assert detail(alice.client(), old) == "as it is"
    (finding,) = examined()
    assert (finding.level.name, "s old" in finding.found) == ("WARN", True)


def test_a_replica_that_is_away_is_not_missed(standby: Standby, alice: Person, old: Execution):
    assert history.is_at_hand()
    standby.stop()
    assert detail(alice.client(), old) == "as it was"
    assert not history.is_at_hand()
    (finding,) = examined()
    assert finding.found.startswith("does not answer")


def test_nothing_is_written_through_the_router(standby: Standby, old: Execution):
    def both() -> tuple[str, str]:
        row = Execution.objects.get(id=old.id)
        return row._state.db, Execution.objects.create(**copied(row))._state.db

    def copied(row: Execution) -> dict[str, Any]:
        fields = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        return {**fields, "id": row.id + 1_000_000, "execution_id": "f" * 64}

    assert history.read(both, is_over=lambda _: True, user_id=None) == ("replica", "default")
