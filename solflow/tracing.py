"""Traces to an OpenTelemetry collector, where OTEL_EXPORTER_OTLP_ENDPOINT is set: one for each execution.

The trace's id is the first 16 bytes of the execution's id, its first span's id the next 8: whichever process goes
through a stage knows both, so no header, message or column has to carry them.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Sequence
from functools import cache

import structlog
from django.conf import settings
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags

from executions.trail import FIRST, Fact, Stage
from solflow import __version__

log = structlog.get_logger(__name__)

# A collector that is away must not hold up the end of a process; what it would have got is lost then.
EXPORT_S = 3.0
LAST_EXPORT_S = 2.0


class _Ids(RandomIdGenerator):
    """Ids at random, but for the first span of a trace, whose ids follow from the execution."""

    def __init__(self) -> None:
        self._given = threading.local()

    def give(self, trace_id: int, span_id: int) -> None:
        """For the next span that this thread starts."""
        self._given.ids = (trace_id, span_id)

    def generate_trace_id(self) -> int:
        ids = getattr(self._given, "ids", None)
        return ids[0] if ids else super().generate_trace_id()

    def generate_span_id(self) -> int:
        ids, self._given.ids = getattr(self._given, "ids", None), None
        return ids[1] if ids else super().generate_span_id()


class _Exporter(SpanExporter):
    """To the collector over HTTP. Tells once when it stops answering, and once when it answers again; the library would
    tell an error every few seconds."""

    def __init__(self) -> None:
        self._http = OTLPSpanExporter(f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces", timeout=EXPORT_S)
        self._last = SpanExportResult.SUCCESS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._http.export(spans)
        if result is not self._last:
            log.warning("traces_lost" if result is SpanExportResult.FAILURE else "traces_arrive_again")
        self._last = result
        return result

    def shutdown(self) -> None:
        self._http.shutdown()


class Tracing:
    """One process's way to the collector."""

    def __init__(self) -> None:
        self._ids = _Ids()
        self._processor = BatchSpanProcessor(_Exporter())
        told = {
            "service.name": "solflow",
            "service.version": __version__,
            "service.instance.id": f"{os.uname().nodename}:{os.getpid()}",
        }
        # Its own end would wait for a collector that hangs.
        provider = TracerProvider(id_generator=self._ids, resource=Resource.create(told), shutdown_on_exit=False)
        provider.add_span_processor(self._processor)
        self._tracer = provider.get_tracer("solflow", __version__)
        atexit.register(self.flush)

    def record(self, stage: Stage) -> None:
        """The stage as a span: the first of its trace, or beneath the first."""
        trace_id, first_span_id = ids_of(stage.trail.execution_id)
        if stage.name == FIRST:
            parent = Context()
            self._ids.give(trace_id, first_span_id)
        else:
            first = SpanContext(trace_id, first_span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
            parent = trace.set_span_in_context(NonRecordingSpan(first), Context())
        span = self._tracer.start_span(stage.name, parent, start_time=stage.started_ns, attributes=_attributes(stage))
        if stage.error:
            span.set_status(Status(StatusCode.ERROR, stage.error))
        span.end(stage.ended_ns)

    def flush(self) -> None:
        """Send what has not been sent, for LAST_EXPORT_S at most."""
        sending = threading.Thread(target=self._processor.force_flush, name="last-spans", daemon=True)
        sending.start()
        sending.join(LAST_EXPORT_S)


def record(stage: Stage) -> None:
    """A tracer for `executions.trail.trace_with`. Begins at the first stage: a fork would take the thread away."""
    _tracing(os.getpid()).record(stage)


def flush() -> None:
    """Before a process ends that does not go through Python's own end, as Celery's children."""
    _tracing(os.getpid()).flush()


def ids_of(execution_id: str) -> tuple[int, int]:
    """The ids of the trace and of its first span."""
    return int(execution_id[:32], 16), int(execution_id[32:48], 16)


@cache
def _tracing(pid: int) -> Tracing:
    return Tracing()


def _attributes(stage: Stage) -> dict[str, Fact]:
    ids: dict[str, Fact] = {
        "solflow.execution": stage.trail.execution_id,
        "solflow.workflow": str(stage.trail.workflow_id),
    }
    return ids | {f"solflow.{name}": fact for name, fact in stage.facts.items()}
