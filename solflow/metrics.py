"""All that Prometheus is told: the collectors of every app."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import structlog
from celery import current_app
from django.core.cache import cache as redis
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from executions import counters, tallies  # noqa: F401 - for the names and help of what workers count
from executions.balances import balances
from executions.metrics import ExecutionCollector
from listener import metrics as listener_metrics  # noqa: F401 - and listeners
from listener.selectors import listeners, totals
from solflow import __version__, parts
from workflows.models import Signer

log = structlog.get_logger(__name__)

FRESH_S = 1
BROKER_TIMEOUT_S = 1.0
SIGNERS_SHOWN = 100


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


class TallyCollector(Collector):
    """Counters and histograms of all processes, as the database has added them up."""

    def collect(self) -> Iterator[Metric]:
        tallies.flush()
        rows: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
        for series, value in tallies.since().items():
            rows[series.name].append((series.as_labels, value))
        for own in tallies.families():
            family = Metric(own.name, own.documentation, own.type)
            for name in (own.name + suffix for suffix in ("_total", "_bucket", "_count", "_sum")):
                told = [*_at_zero(own, name), *rows.get(name, [])]
                last = {tuple(sorted(labels.items())): (labels, value) for labels, value in told}
                for labels, value in sorted(last.values(), key=_bucket_order):
                    family.add_sample(name, labels, value)
            yield family


def _at_zero(own: Metric, name: str) -> list[tuple[dict[str, str], float]]:
    """Series without labels are told before they are first counted: only what was seen at 0 is seen to increase."""
    known = (sample.labels for sample in own.samples if sample.name == name)
    return [(labels, 0.0) for labels in known if labels.keys() <= {"le"}]


def _bucket_order(row: tuple[dict[str, str], float]) -> tuple[list[str], float]:
    labels, _ = row
    others = [value for name, value in sorted(labels.items()) if name != "le"]
    return others, float(labels.get("le", "0"))


class ListenerCollector(Collector):
    """What the listeners have last said of themselves."""

    def collect(self) -> Iterator[Metric]:
        slot = GaugeMetricFamily("solflow_listener_slot", "Newest slot that a listener was told.", labels=["listener"])
        queue = GaugeMetricFamily(
            "solflow_listener_queue_length", "Observations that wait for ingest.", labels=["listener"]
        )
        watched = GaugeMetricFamily(
            "solflow_listener_subscriptions", "Subscriptions, all and covered.", labels=["listener", "state"]
        )
        lag = GaugeMetricFamily(
            "solflow_rpc_slot_lag", "Slots behind the best endpoint.", labels=["listener", "endpoint"]
        )
        for one in listeners():
            detail = one.detail
            slot.add_metric([one.name], detail.get("slot", 0))
            queue.add_metric([one.name], detail.get("queue", 0))
            watched.add_metric([one.name, "all"], detail.get("subscriptions", 0))
            watched.add_metric([one.name, "covered"], detail.get("covered", 0))
            for endpoint in detail.get("endpoints", ()):
                if endpoint.get("slot_lag") is not None:
                    lag.add_metric([one.name, endpoint["host"]], endpoint["slot_lag"])
        yield from (slot, queue, watched, lag)


class QueueCollector(Collector):
    """How many wake-up calls wait in the broker; nothing where it does not answer."""

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("solflow_queue_length", "Messages that wait in the broker.", labels=["queue"])
        try:
            with current_app.connection_for_read(connect_timeout=BROKER_TIMEOUT_S) as link:
                link.ensure_connection(max_retries=0, timeout=BROKER_TIMEOUT_S)
                for name in parts.QUEUES.split(","):
                    waiting = link.default_channel.queue_declare(name, durable=True).message_count
                    family.add_metric([name], waiting)
        except Exception as error:  # noqa: BLE001 - every broker has errors of its own, and figures go on without it
            log.info("queue_lengths_unknown", error=type(error).__name__)
        yield family


class SignerCollector(Collector):
    """Balances of the signers that workflows use; nothing of those that the chain did not tell."""

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("solflow_signer_lamports", "Balance of a signer.", labels=["signer", "address"])
        rows = list(Signer.objects.filter(deleted_at=None).order_by("created_at")[:SIGNERS_SHOWN])
        known = balances().of([row.address for row in rows])
        for row in rows:
            if known[row.address] is not None:
                family.add_metric([str(row.id), row.address], float(known[row.address] or 0))
        yield family


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
    for collector in (TallyCollector(), ListenerCollector(), QueueCollector(), SignerCollector()):
        registry.register(collector)
    return registry
