"""What processes count is added up in the database, and every scrape tells all of it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connections
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from chain.metrics import RPC_REQUESTS, RPC_SECONDS
from executions import tallies
from executions.models import Heartbeat, Tally
from solflow import metrics

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def from_here() -> Iterator[None]:
    """What other tests of this process have counted is not this one's."""
    tallies.flush()
    Tally.objects.all().delete()
    yield


def scraped(client: Client) -> dict[tuple[str, ...], float]:
    cache.delete("metrics")
    text = client.get("/metrics").content.decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def count(times: int) -> None:
    RPC_REQUESTS.labels("node:8899", "getSlot", "ok").inc(times)
    RPC_SECONDS.labels("node:8899", "getSlot").observe(0.03)


def _in_a_child(times: int) -> None:
    count(times)
    tallies.flush()
    connections.close_all()


def test_two_processes_are_added_up_and_a_fork_repeats_nothing(client: Client) -> None:
    count(2)
    tallies.flush()
    # A connection cannot be shared with a child.
    connections.close_all()
    child = multiprocessing.get_context("fork").Process(target=_in_a_child, args=(3,))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    seen = scraped(client)
    assert seen["solflow_rpc_requests_total", "getSlot", "node:8899", "ok"] == 5
    assert seen["solflow_rpc_request_seconds_count", "getSlot", "node:8899"] == 2
    assert seen["solflow_rpc_request_seconds_bucket", "0.05", "getSlot", "node:8899"] == 2
    assert ("solflow_rpc_request_seconds_bucket", "0.025", "getSlot", "node:8899") not in seen


def test_what_has_no_labels_is_told_before_it_is_first_counted(client: Client) -> None:
    """A series that begins at 1 has never increased, so no alarm would see the first."""
    seen = scraped(client)
    assert seen[("solflow_listener_unstorable_total",)] == 0
    assert seen[("solflow_event_to_sent_seconds_count",)] == 0
    assert seen["solflow_event_to_sent_seconds_bucket", "0.01"] == 0
    assert ("solflow_rpc_requests_total", "getSlot", "node:8899", "ok") not in seen


def test_what_was_written_is_not_written_again(client: Client) -> None:
    count(1)
    tallies.flush()
    tallies.flush()
    assert scraped(client)["solflow_rpc_requests_total", "getSlot", "node:8899", "ok"] == 1


def test_a_database_that_is_away_costs_no_count(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    count(4)

    def away() -> Any:
        raise DatabaseError("away")

    with monkeypatch.context() as broken:
        broken.setattr(tallies.connection, "cursor", away, raising=False)
        tallies.flush()
    assert not Tally.objects.exists()
    assert scraped(client)["solflow_rpc_requests_total", "getSlot", "node:8899", "ok"] == 4


def test_old_hours_become_one_row_and_no_sum_changes(client: Client) -> None:
    now = timezone.now()
    for hours in (1, 60, 61, 62):
        Tally.objects.create(
            hour=now - timedelta(hours=hours), name="solflow_listener_matches_total", labels="{}", value=10
        )
    tallies.fold()
    tallies.fold()
    assert Tally.objects.filter(name="solflow_listener_matches_total").count() == 2
    assert scraped(client)[("solflow_listener_matches_total",)] == 40
    lately = tallies.since(now - timedelta(hours=24))
    assert lately[tallies.Series("solflow_listener_matches_total", "{}")] == 10


def test_listeners_queues_and_lag_are_told(client: Client) -> None:
    detail = {
        "slot": 77,
        "queue": 3,
        "subscriptions": 5,
        "covered": 4,
        "endpoints": [{"host": "node:8899", "slot_lag": 2}],
    }
    Heartbeat.objects.create(name="listener-0@here", kind="listener", at=timezone.now(), detail=detail)
    seen = scraped(client)
    assert seen["solflow_listener_slot", "listener-0@here"] == 77
    assert seen["solflow_rpc_slot_lag", "listener-0@here", "node:8899"] == 2
    assert seen["solflow_queue_length", "executions"] == 0


def test_a_broker_that_is_away_costs_only_its_figures(client: Client, settings: Any) -> None:
    class Away:
        def connection_for_read(self, **_: object) -> Any:
            raise OSError("away")

    original = metrics.current_app
    metrics.current_app = Away()
    try:
        seen = scraped(client)
    finally:
        metrics.current_app = original
    assert ("solflow_queue_length", "executions") not in seen
    assert seen["solflow_executions", "pending"] == 0
