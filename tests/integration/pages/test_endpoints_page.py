"""The endpoints' page says how each one does, what it was asked, what is watched and what was missed; hosts only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role, Team
from chain.metrics import RPC_REQUESTS, RPC_SECONDS
from executions import tallies
from executions.models import Heartbeat, Tally
from listener.models import Gap, Subscription
from listener.watches import watches_of
from tests.integration.pages.conftest import WATCHED, browser
from tests.people import Person, person
from workflows.models import Workflow
from workflows.specs.triggers import TRIGGER_TYPES

pytestmark = pytest.mark.django_db(transaction=True)

FAMILIES = {"read": "closed", "history": "open", "simulate": "closed", "send": "closed"}


@pytest.fixture
def alice() -> Person:
    return person("alice", Role.VIEWER)


def endpoint(host: str, **told: Any) -> dict[str, Any]:
    usual = {"index": 0, "state": "closed", "families": {}, "latency_s": 0.1, "calls": 1, "errors": 0}
    return {"host": host, **usual, "last_error": None, "slot": 5000, "slot_lag": 0, **told}


def socket(host: str, *, is_open: bool) -> dict[str, Any]:
    told = {"host": host, "is_open": is_open, "slot": 5000, "subscriptions": 3, "acknowledged": 2, "reconnects": 4}
    return {**told, "last_error": "" if is_open else "the socket was silent"}


def listening(*endpoints: dict[str, Any], sockets: tuple[dict[str, Any], ...] = ()) -> None:
    detail = {"endpoints": list(endpoints), "connections": list(sockets)}
    Heartbeat.objects.create(name="listener-0@here:1", kind="listener", at=timezone.now(), detail=detail)


def page(who: Person, query: str = "") -> str:
    answer = browser(who).get(f"/endpoints/{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_each_endpoint_is_told_with_its_breaker_its_lag_and_its_last_trouble(alice: Person):
    listening(
        endpoint("good.example"),
        endpoint("resting.example", state="open", families=FAMILIES, last_error="resting.example answered 503"),
        endpoint("slow.example", slot_lag=80),
        sockets=(socket("ws.example", is_open=True), socket("dead.example", is_open=False)),
    )
    text = page(alice)
    for told in ("good.example", "Healthy", "Resting", "history: resting", "Lagging", "answered 503"):
        assert told in text, told
    for told in ("Not connected", "the socket was silent"):
        assert told in text, told
    assert "No listener was seen" not in text


def test_without_a_listener_the_page_says_that_it_does_not_know(alice: Person):
    assert "No listener was seen" in page(alice)


def test_calls_are_told_by_method_for_an_hour_and_a_day(alice: Person):
    tallies.flush()
    Tally.objects.all().delete()
    RPC_REQUESTS.labels("node.example", "getTransaction", "ok").inc(1234)
    RPC_REQUESTS.labels("node.example", "getTransaction", "unavailable").inc(6)
    RPC_SECONDS.labels("node.example", "getTransaction").observe(0.03)
    tallies.flush()
    text = page(alice)
    for told in ("getTransaction", "1,240", "6 unavailable", "12,400", "0.5 %"):
        assert told in text, told
    Tally.objects.update(hour=timezone.now() - timedelta(hours=5))
    assert "getTransaction" in page(alice, "?range=day")
    assert "getTransaction" not in page(alice, "?range=hour")


def test_a_range_that_there_is_not_is_a_day(alice: Person):
    assert 'aria-current="true">Last 24 hours' in page(alice, "?range=%00x")


def test_the_api_tells_families_and_methods(alice: Person):
    listening(endpoint("node.example", state="open", families=FAMILIES), sockets=(socket("ws.example", is_open=True),))
    RPC_REQUESTS.labels("node.example", "getProgramAccounts", "ambiguous").inc(2)
    tallies.flush()
    http, ws = alice.client().get("/api/v1/rpc-endpoints/").json()["results"]
    assert (http["families"], ws["families"], ws["methods"]) == (FAMILIES, None, None)
    told = {one["method"]: one for one in http["methods"]}["getProgramAccounts"]
    assert (told["family"], told["errors"], told["results"], told["p50_s"]) == ("read", 2, {"ambiguous": 2}, None)
    assert told["credits"] == 20


def missed(workflow: Workflow, **more: Any) -> None:
    trigger = TRIGGER_TYPES["balance_change"].model_validate(workflow.version.definition["trigger"])
    (watch,) = watches_of(trigger, workflow.commitment)
    subscription = Subscription.objects.create(
        digest=watch.digest, kind=watch.kind, address=watch.address, commitment=watch.commitment, genesis_hash="g"
    )
    for status in Gap.Status.values:
        told = {"status": status, "from_slot": 10, "to_slot": 2000, "reason": "reconnect", "note": f"note of {status}"}
        Gap.objects.create(subscription=subscription, **told)


def test_subscriptions_and_gaps_of_the_team_are_told_and_nobody_elses(workflow: Workflow, alice: Person):
    missed(workflow)
    text = page(alice)
    for told in (WATCHED, "Being read back", "Filled", "Lost", "note of lost", "2,000"):
        assert told in text, told
    stranger = person("charlie", Role.ADMIN, Team.objects.create(name="others"))
    assert WATCHED not in page(stranger) and "Nothing was missed" in page(stranger)
