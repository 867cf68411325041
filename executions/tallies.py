"""What processes count, added up in the database: true for any number of processes, machines and restarts.

Every process counts for itself with prometheus_client (chain.metrics, listener.metrics, executions.counters). Every few
seconds it adds what has come since to rows of Tally, one a series and hour, from which `/metrics` and the RPC analytics
are read. A process that is killed loses what it counted since its last flush, FLUSH_S at most: these are figures for
people and alarms. What money and limits go by is counted from rows of its own (executions.stats).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson
import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric

log = structlog.get_logger(__name__)

FLUSH_S = 5.0
# Older hours become one row a series: `/metrics` wants the sum, people the last days.
FINE_FOR = timedelta(hours=48)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
PREFIX = "solflow_"
ADDED_UP = ("counter", "histogram")

# In the order of the key, so that two processes lock the same rows in the same order.
_ADD = """
INSERT INTO executions_tally AS t (hour, name, labels, value)
SELECT %(hour)s, name, labels, value
FROM unnest(%(names)s::text[], %(labels)s::text[], %(values)s::float8[]) AS seen (name, labels, value)
ORDER BY name, labels
ON CONFLICT (hour, name, labels) DO UPDATE SET value = t.value + excluded.value
"""
_SINCE = """
SELECT name, labels, sum(value) FROM executions_tally
WHERE hour >= %(start)s AND (%(names)s::text[] IS NULL OR name = ANY(%(names)s)) GROUP BY name, labels
"""
_FOLD = """
WITH old AS (
    DELETE FROM executions_tally WHERE hour > %(beginning)s AND hour < %(before)s RETURNING name, labels, value
)
INSERT INTO executions_tally AS t (hour, name, labels, value)
SELECT %(beginning)s, name, labels, sum(value) FROM old GROUP BY name, labels ORDER BY name, labels
ON CONFLICT (hour, name, labels) DO UPDATE SET value = t.value + excluded.value
"""


class Series(NamedTuple):
    """One series: the sample's name (`…_total`, `…_bucket`, …) and its labels as JSON with sorted keys."""

    name: str
    labels: str

    @property
    def as_labels(self) -> dict[str, str]:
        labels: dict[str, str] = orjson.loads(self.labels)
        return labels


_lock = threading.Lock()
_flushed: dict[Series, float] = {}
_flushed_at_s = 0.0


def families() -> Iterator[Metric]:
    """Counters and histograms of ours, as this process has them: what there is to add up, with its help text."""
    for metric in REGISTRY.collect():
        if metric.name.startswith(PREFIX) and metric.type in ADDED_UP:
            yield metric


def flush_if_due() -> None:
    """`flush`, at most every FLUSH_S; costs a look at the clock otherwise. Outside a transaction."""
    global _flushed_at_s
    now_s = time.monotonic()
    if now_s - _flushed_at_s >= FLUSH_S:
        _flushed_at_s = now_s
        flush()


def flush() -> None:
    """Add what this process has counted since the last time. What cannot be written now is added next time."""
    with _lock:
        now = _counted()
        news = {series: value - _flushed.get(series, 0.0) for series, value in now.items()}
        news = {series: value for series, value in news.items() if value > 0}
        if not news:
            return
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    _ADD,
                    {
                        "hour": hour,
                        "names": [series.name for series in news],
                        "labels": [series.labels for series in news],
                        "values": list(news.values()),
                    },
                )
        except (DatabaseError, InterfaceError) as error:
            log.info("figures_not_written", error=type(error).__name__)
            return
        _flushed.update(now)


def since(start: datetime = BEGINNING, names: Sequence[str] | None = None) -> dict[Series, float]:
    """The sum of each series over all processes, since the beginning or for the hours from `start` on; of all, or of
    those with these names."""
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, {"start": start, "names": None if names is None else list(names)})
        return {Series(name, labels): float(value) for name, labels, value in cursor.fetchall()}


def fold() -> None:
    """Make one row of the old hours of each series; no sum over everything changes."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"beginning": BEGINNING, "before": timezone.now() - FINE_FOR})


def keep_flushing() -> None:
    """For a process without a rhythm of its own (web): a thread that flushes until the process ends."""

    def run() -> None:
        while True:
            time.sleep(FLUSH_S)
            flush()

    threading.Thread(target=run, name="figures", daemon=True).start()


def _counted() -> dict[Series, float]:
    return {
        Series(sample.name, _as_text(sample.labels)): sample.value
        for metric in families()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }


def _as_text(labels: Mapping[str, str]) -> str:
    return orjson.dumps(dict(labels), option=orjson.OPT_SORT_KEYS).decode()


def _forget_the_parents() -> None:
    """A forked child has its parent's counters: what they showed before the fork is the parent's to tell."""
    global _lock
    _lock = threading.Lock()
    _flushed.update(_counted())


os.register_at_fork(after_in_child=_forget_the_parents)
