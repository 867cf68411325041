"""What we see of the RPC endpoints, for Prometheus. Named by host and port only: URLs carry providers' keys."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

RPC_REQUESTS = Counter(
    "solflow_rpc_requests_total",
    "RPC requests by endpoint, method and result (ok, rejected, unavailable, behind, ambiguous).",
    ["endpoint", "method", "result"],
)
RPC_SECONDS = Histogram(
    "solflow_rpc_request_seconds",
    "Time from asking an endpoint to its answer, or to giving it up.",
    ["endpoint", "method"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
