from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from executions.models import Heartbeat
from executions.pauses import installation_pause
from solflow import health
from tests.executing import balance_event, new_address, take_events
from tests.integration.api.conftest import paying
from tests.local_chain import LocalChain
from tests.people import Person
from tests.services import Services
from workflows.services import workflow_create


@pytest.fixture
def rpc(chain: LocalChain) -> Any:
    health._rpc_client.cache_clear()
    yield
    health._rpc_client().close()
    health._rpc_client.cache_clear()


def alive(**ages_s: float) -> None:
    for kind, age_s in ages_s.items():
        at = timezone.now() - timedelta(seconds=age_s)
        Heartbeat.objects.update_or_create(name=kind, defaults={"kind": kind, "at": at})


def test_healthz_asks_nobody(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db(transaction=True)
def test_readyz_is_200_when_every_part_answers(client: Client, rpc: None) -> None:
    alive(worker=1, listener=1)
    answer = client.get("/readyz")
    parts = dict.fromkeys(("database", "redis", "broker", "rpc", "worker", "listener"), "ok")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "failing": [], "parts": parts})


@pytest.mark.django_db(transaction=True)
def test_readyz_asks_only_the_parts_that_it_is_asked_for(client: Client, no_chain: None) -> None:
    answer = client.get("/readyz?part=database&part=redis")
    parts = {"database": "ok", "redis": "ok"}
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "failing": [], "parts": parts})
    refused = client.get("/readyz?part=databse")
    assert (refused.status_code, "not databse" in refused.json()["detail"]) == (400, True)


@pytest.mark.parametrize("path", ["/healthz", "/readyz?part=database", "/metrics"])
@pytest.mark.django_db(transaction=True)
def test_probes_and_scrapers_call_by_any_name(client: Client, settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS = ["solflow.example"]
    assert client.get(path, HTTP_HOST="10.1.2.3:8000").status_code == 200
    assert client.get("/login/", HTTP_HOST="10.1.2.3:8000").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_readyz_names_a_worker_and_a_listener_that_were_not_seen_for_30_s(client: Client, rpc: None) -> None:
    alive(worker=31)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["worker", "listener"])


@pytest.mark.django_db(transaction=True)
def test_readyz_names_redis_and_broker_when_redis_is_stopped(client: Client, rpc: None, services: Services) -> None:
    alive(worker=1, listener=1)
    services.redis.stop()
    try:
        answer = client.get("/readyz")
    finally:
        services.redis.launch()
        services.redis.wait_until_ready()
    assert (answer.status_code, answer.json()["failing"]) == (503, ["redis", "broker"])


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_api_goes_on(alice: Person, services: Services) -> None:
    api = alice.client()
    services.redis.stop()
    try:
        made = api.post(
            "/api/v1/workflows/", {"name": "x", "definition": {"trigger": {"type": "manual"}}}, format="json"
        )
        url = f"/api/v1/workflows/{made.json()['id']}/"
        codes = [made.status_code, api.post(f"{url}enable/").status_code, api.post(f"{url}run/").status_code]
        stats, metrics = api.get("/api/v1/stats/"), api.get("/metrics")
    finally:
        services.redis.launch()
        services.redis.wait_until_ready()
    assert codes == [201, 200, 202]
    assert (stats.status_code, stats.json()["executions"]["pending"]) == (200, 1)
    assert metrics.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_readyz_names_the_rpc_without_its_address(client: Client, no_chain: None) -> None:
    health._rpc_client.cache_clear()
    alive(worker=1, listener=1)
    answer = client.get("/readyz")
    health._rpc_client.cache_clear()
    assert (answer.status_code, answer.json()["failing"]) == (503, ["rpc"])
    assert b"127.0.0.1" not in answer.content


def test_metrics_are_counted_in_the_database(client: Client, alice: Person) -> None:
    workflow = workflow_create(actor=alice.actor, definition=paying(), settings={"name": "x"})
    take_events(workflow, [balance_event(new_address(), slot) for slot in range(3)])
    installation_pause(actor=alice.actor, reason="")
    alive(worker=5)
    text = client.get("/metrics").content.decode()
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["solflow_executions", "pending"] == 3
    assert samples["solflow_executions", "success"] == 0
    assert samples["solflow_deliveries", "dead"] == 0
    assert (samples["solflow_paused",], samples["solflow_gaps_open",]) == (1, 0)
    assert 0 <= samples["solflow_heartbeat_age_seconds", "worker"] <= 10


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/stats/", "/api/docs/", "/nothing/"])
def test_every_answer_carries_the_strict_policy(client: Client, db: None, path: str) -> None:
    answer = client.get(path)
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert (answer["X-Content-Type-Options"], answer["X-Frame-Options"]) == ("nosniff", "DENY")
