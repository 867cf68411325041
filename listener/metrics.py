"""What a listener process counts about itself. What everybody can know is read from the database (selectors)."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

OBSERVATIONS = Counter("solflow_listener_observations_total", "Samples and transactions written by ingest.")
MATCHED = Counter("solflow_listener_matches_total", "Events that matched a workflow, repeated ones included.")
UNSTORABLE = Counter("solflow_listener_unstorable_total", "Observations that the database refused to store.")
MALFORMED = Counter("solflow_listener_malformed_total", "Frames that are no message of the protocol.", ["endpoint"])
RECONNECTS = Counter("solflow_listener_reconnects_total", "Sockets that were lost.", ["endpoint"])
INGEST_SECONDS = Histogram(
    "solflow_listener_ingest_seconds",
    "One ingest transaction.",
    buckets=(0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
QUEUE = Gauge("solflow_listener_queue", "Observations that wait for ingest.")
TRANSACTIONS_FETCHED = Counter(
    "solflow_listener_transactions_fetched_total",
    "getTransaction calls that triggers cost, by source (live, read_back, tried); retries included.",
    ["source"],
)
FETCHES_GIVEN_UP = Counter(
    "solflow_listener_fetches_given_up_total", "Transactions told live and not to be had: left to the read-back."
)


def fetched() -> int:
    """How many transactions this process has asked for since it started."""
    samples = (sample for metric in TRANSACTIONS_FETCHED.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))
