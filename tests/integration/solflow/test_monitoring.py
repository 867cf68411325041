"""Alerts and dashboards ask for metrics that `/metrics` really has, by labels that these really carry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from chain.metrics import RPC_REQUESTS, RPC_SECONDS
from executions import counters
from executions.models import Heartbeat
from listener import metrics as listener_metrics
from solflow import metrics
from tests.monitoring import alerts, dashboard_queries, grouped_by, named

pytestmark = pytest.mark.django_db(transaction=True)

SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
# Prometheus's own, about the scrape itself.
OF_PROMETHEUS = {"up": {"job", "instance"}}
QUERIES = [*dashboard_queries(), *((rule["alert"], rule["expr"]) for rule in alerts())]


def _labels(family: Any) -> set[str]:
    """Those of a family that prometheus_client counts, or of one that is made at each scrape."""
    counted = getattr(REGISTRY, "_names_to_collectors").get(family.name)  # noqa: B009 - nothing public tells it
    return set(counted._labelnames if counted else getattr(family, "_labelnames", ()))


@pytest.fixture
def carried(db: None) -> dict[str, set[str]]:
    """Every sample's name that `/metrics` can show, with its labels."""
    found: dict[str, set[str]] = {}
    for family in metrics._registry().collect():
        for suffix in SUFFIXES[family.type]:
            found[family.name + suffix] = _labels(family) | ({"le"} if suffix == "_bucket" else set())
    return found


@pytest.mark.parametrize(("place", "query"), QUERIES)
def test_a_query_names_metrics_and_labels_that_there_are(carried: dict[str, set[str]], place: str, query: str) -> None:
    known = carried | OF_PROMETHEUS
    asked = named(query)
    assert asked, query
    for metric, labels in asked.items():
        assert metric in known, f"{place}: /metrics has no {metric}"
        assert labels <= known[metric], f"{place}: {metric} has no label {labels - known[metric]}"
    assert set(grouped_by(query)) <= set().union(*(known[metric] for metric in asked))


def test_a_scrape_of_a_working_installation_has_what_is_asked_for(client: Client) -> None:
    """The exposition itself, with a row for everything that makes one only when there is something to tell."""
    detail = {"slot": 1, "subscriptions": 1, "covered": 1, "endpoints": [{"host": "node", "slot_lag": 0}]}
    for kind in ("worker", "listener"):
        Heartbeat.objects.create(name=kind, kind=kind, at=datetime.now(UTC), detail=detail)
    RPC_REQUESTS.labels("node", "getSlot", "ok").inc()
    RPC_SECONDS.labels("node", "getSlot").observe(0.1)
    counters.DELIVERIES.labels("discord", "dead").inc()
    counters.SENT_SECONDS.observe(0.1)
    counters.CONFIRMED_SECONDS.observe(0.1)
    for counter in (listener_metrics.OBSERVATIONS, listener_metrics.MATCHED, listener_metrics.UNSTORABLE):
        counter.inc()
    listener_metrics.FETCHES_GIVEN_UP.inc()
    listener_metrics.MALFORMED.labels("node").inc()
    listener_metrics.RECONNECTS.labels("node").inc()
    listener_metrics.TRANSACTIONS_FETCHED.labels("live").inc()
    listener_metrics.INGEST_SECONDS.observe(0.1)
    cache.delete("metrics")
    text = client.get("/metrics").content.decode()
    told = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    asked = {metric for _, query in QUERIES for metric in named(query)}
    # These two need a waiting execution and a signer with a balance; the test above knows their names.
    assert asked - told == {"up", "solflow_executions_waiting", "solflow_signer_lamports"}
