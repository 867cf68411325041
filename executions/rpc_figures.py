"""What RPC endpoints were asked and how they answered, by endpoint and method, from the tallies of all processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from chain.rpc.credits import credits_of
from executions import tallies

REQUESTS = "solflow_rpc_requests_total"
BUCKETS = "solflow_rpc_request_seconds_bucket"
# A refusal is an answer: the request was wrong, not the endpoint.
ANSWERED = ("ok", "rejected")
FAMILIES = ("read", "history", "simulate", "send")
HISTORY = ("getBlocks", "getSignaturesForAddress", "getTransaction")
FAMILY = {**dict.fromkeys(HISTORY, "history"), "simulateTransaction": "simulate", "sendTransaction": "send"}


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls by result, and the latencies' cumulative counts by upper bound in seconds."""

    endpoint: str
    method: str
    results: Mapping[str, int] = field(default_factory=dict)
    buckets: Mapping[float, float] = field(default_factory=dict)
    credits: int = 0

    @property
    def family(self) -> str:
        return FAMILY.get(self.method, "read")

    @property
    def calls(self) -> int:
        return sum(self.results.values())

    @property
    def errors(self) -> int:
        """Calls that came to nothing with this endpoint: no answer, or one from behind the chain."""
        return sum(count for result, count in self.results.items() if result not in ANSWERED)

    @property
    def p50_s(self) -> float | None:
        return quantile(self.buckets, 0.5)

    @property
    def p95_s(self) -> float | None:
        return quantile(self.buckets, 0.95)


def by_method(*, since: datetime) -> list[Figures]:
    """Figures by endpoint and method for the hours from `since` on, most calls first. One query."""
    results: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    buckets: dict[tuple[str, str], dict[float, float]] = defaultdict(dict)
    for series, value in tallies.since(since, names=(REQUESTS, BUCKETS)).items():
        labels = series.as_labels
        key = labels["endpoint"], labels["method"]
        if series.name == REQUESTS:
            results[key][labels["result"]] = round(value)
        else:
            buckets[key][float(labels["le"])] = value
    found = [
        Figures(endpoint, method, counts, buckets[endpoint, method], credits_of(method, sum(counts.values())))
        for (endpoint, method), counts in results.items()
    ]
    return sorted(found, key=lambda one: (-one.calls, one.endpoint, one.method))


def together(figures: Iterable[Figures], endpoint: str = "") -> Figures:
    """Many as one."""
    results: dict[str, int] = defaultdict(int)
    buckets: dict[float, float] = defaultdict(float)
    credits_used = 0
    for one in figures:
        credits_used += one.credits
        for result, calls in one.results.items():
            results[result] += calls
        for bound, count in one.buckets.items():
            buckets[bound] += count
    return Figures(endpoint, "", results, buckets, credits_used)


def by_endpoint(figures: Sequence[Figures], hosts: Iterable[str]) -> dict[str, Figures]:
    """The figures of each of these hosts over all methods."""
    return {host: together((one for one in figures if one.endpoint == host), host) for host in hosts}


def beginning(length: timedelta) -> datetime:
    """From when on figures of the last `length` count: they are kept by the hour, so up to an hour more is in them."""
    return (timezone.now() - length).replace(minute=0, second=0, microsecond=0)


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """The value below which `share` of the observations are, from a histogram's cumulative counts by upper bound.

    Within a bucket they are taken to be spread evenly; what lies beyond the last bound is told as that bound. None
    without observations.
    """
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0.0
    if total <= 0:
        return None
    wanted, below, lower = share * total, 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= wanted:
            if bound == float("inf") or buckets[bound] == below:
                return lower
            return lower + (bound - lower) * (wanted - below) / (buckets[bound] - below)
        below, lower = buckets[bound], bound
    return lower
