"""All that Prometheus is told: the collectors of every app."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from django.core.cache import cache as redis
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from executions.metrics import ExecutionCollector
from listener.selectors import totals
from solflow import __version__

FRESH_S = 1


class SolflowCollector(Collector):
    """What no single app knows."""

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("solflow_build_info", "The version that runs.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        seen = totals()
        yield CounterMetricFamily("solflow_events_seen", "Samples and transactions taken in.", seen.events_seen)
        yield GaugeMetricFamily("solflow_gaps_open", "Stretches of slots that are not read back yet.", seen.open_gaps)
        yield GaugeMetricFamily("solflow_gaps_lost", "Stretches of slots that never will be.", seen.lost_gaps)


def exposition() -> tuple[bytes, str]:
    """The text and its content type, FRESH_S old at most: whoever scrapes faster gets the same again."""
    text: bytes | None = redis.get("metrics")
    if text is None:
        text = generate_latest(_registry())
        redis.set("metrics", text, FRESH_S)
    return text, CONTENT_TYPE_LATEST


@cache
def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(SolflowCollector())
    registry.register(ExecutionCollector())
    return registry
