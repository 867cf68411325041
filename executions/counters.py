"""What workers count about executions and messages; executions.tallies adds all processes up."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)

SENT_SECONDS = Histogram(
    "solflow_event_to_sent_seconds", "From the event's row to the first send of its transaction.", buckets=_SECONDS
)
CONFIRMED_SECONDS = Histogram(
    "solflow_event_to_confirmed_seconds", "From the event's row to its transaction's confirmation.", buckets=_SECONDS
)
DELIVERIES = Counter(
    "solflow_delivery_attempts_total",
    "Attempts to deliver a message, by channel type and result (delivered, retry, rate_limited, dead).",
    ["channel", "result"],
)
