"""What Prometheus is told about executions, counted in the database: true for any number of processes."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from executions.states import AttemptStatus, DeliveryStatus, Status

_COUNTS = "SELECT status, sum(change) FROM executions_statuscount GROUP BY status"
_ATTEMPTS = """
SELECT status, count(*) FROM executions_attempt
WHERE status IN ('signed', 'sent', 'confirmed', 'unknown') GROUP BY status
"""
_DELIVERIES = "SELECT status, count(*) FROM executions_delivery GROUP BY status"
# One partial index for each status; with IN the planner would use neither.
_WAITING = """
SELECT waiting_for, count(*) FROM (
    SELECT waiting_for FROM executions_execution WHERE status = 'pending'
    UNION ALL SELECT waiting_for FROM executions_execution WHERE status = 'processing') AS open
WHERE waiting_for IS NOT NULL GROUP BY waiting_for
"""
_FIGURES = """
SELECT
    (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM executions_execution
     WHERE status = 'pending'),
    (SELECT coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0) FROM executions_delivery
     WHERE status = 'pending' AND next_attempt_at < now()),
    (SELECT coalesce(sum(lamports), 0) FROM executions_reservation
     WHERE status = 'settled' AND at > now() - interval '24 hours'),
    (SELECT count(*) FROM accounts_installation WHERE paused_at IS NOT NULL)
"""
_HEARTBEATS = "SELECT kind, extract(epoch FROM now() - max(at)) FROM executions_heartbeat GROUP BY kind"
IN_FLIGHT = (AttemptStatus.SIGNED, AttemptStatus.SENT, AttemptStatus.CONFIRMED, AttemptStatus.UNKNOWN)


class ExecutionCollector(Collector):
    """Gauges for prometheus_client."""

    def collect(self) -> Iterator[Metric]:
        yield _by_status("solflow_executions", "Executions by status.", _COUNTS, [status.value for status in Status])
        yield _by_status(
            "solflow_attempts_in_flight",
            "Signed transactions that are not final.",
            _ATTEMPTS,
            [status.value for status in IN_FLIGHT],
        )
        yield _by_status(
            "solflow_deliveries", "Messages by status.", _DELIVERIES, [status.value for status in DeliveryStatus]
        )
        yield _by_status(
            "solflow_executions_waiting", "Executions that wait, by what for.", _WAITING, [], "waiting_for"
        )
        yield _by_status(
            "solflow_heartbeat_age_seconds", "Since the newest sign of life of a kind.", _HEARTBEATS, [], "kind"
        )
        yield from _figures()


def _by_status(name: str, text: str, query: str, known: list[str], label: str = "status") -> GaugeMetricFamily:
    """A gauge for each row of (label, value); the `known` labels are 0 where there is no row."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        values = dict.fromkeys(known, 0.0) | {status: float(value) for status, value in cursor.fetchall()}
    family = GaugeMetricFamily(name, text, labels=[label])
    for status, value in values.items():
        family.add_metric([status], value)
    return family


def _figures() -> Iterator[GaugeMetricFamily]:
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES)
        pending_s, delivery_s, spent, paused = cursor.fetchone()
    yield GaugeMetricFamily("solflow_oldest_pending_seconds", "Age of the oldest pending execution.", float(pending_s))
    yield GaugeMetricFamily("solflow_oldest_due_delivery_seconds", "How late the oldest message is.", float(delivery_s))
    yield GaugeMetricFamily("solflow_spent_24h_lamports", "What signers paid in 24 hours.", float(spent))
    yield GaugeMetricFamily("solflow_paused", "1 while all signing is paused.", float(paused))
