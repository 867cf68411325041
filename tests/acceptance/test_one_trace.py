"""One event, from the socket to Discord, through all of SolFlow's processes: one trace, and a log in which each line
about it has its ids. Neither says a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import base58
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from solders.keypair import Keypair

from accounts.actors import system
from accounts.services import default_team
from executions.models import Delivery, Execution
from listener.services import workflow_enable
from solflow.tracing import ids_of
from tests.executing import SOL, new_address
from tests.http_stub import Answer, HttpStub
from tests.local_chain import LocalChain
from tests.services import Services
from tests.stack import Stack
from tests.waiting import wait_for
from workflows.services.channel import channel_create
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

STAGES = ["ingest", "judge", "build", "simulate", "sign", "send", "confirm", "notify"]
TOKEN = "a-discord-token-that-nobody-may-see"


@pytest.fixture
def collector() -> Iterator[HttpStub]:
    stub = HttpStub()
    stub.default = Answer(200)
    yield stub
    stub.close()


@pytest.fixture
def traced(
    transactional_db: None,
    services: Services,
    local_gateway: LocalChain,
    http_stub: HttpStub,
    collector: HttpStub,
    tmp_path: Path,
) -> Iterator[Stack]:
    """Listener, worker and beat as in production, with a collector."""
    stack = Stack(
        *(local_gateway, http_stub, tmp_path, 1.0),
        SOLFLOW_ENV="production",
        SOLFLOW_INBOX="0",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_BSP_SCHEDULE_DELAY="100",
    )
    yield stack
    stack.kill_all()
    print(stack.logs())  # noqa: T201 - pytest shows it when the test failed


def spans(collector: HttpStub) -> list[Any]:
    found = []
    for request in collector.requests:
        assert request.path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans:
            found += [span for scope in resource.scope_spans for span in scope.spans]
    return sorted(found, key=lambda span: span.start_time_unix_nano)


def test_one_event_is_one_trace_and_its_ids_are_in_every_line(traced: Stack, collector: HttpStub):
    actor, key, watched = system(default_team(), "test"), Keypair(), new_address()
    secret = base58.b58encode(bytes(key)).decode()
    signer = signer_create(actor=actor, name="treasury", secret_key=secret)
    traced.chain.airdrop(signer.address, 10 * SOL)
    url = traced.receiver.discord_url(token=TOKEN)
    channel = channel_create(actor=actor, name="ops", type="discord", config={"webhook_url": url})
    definition = {
        "trigger": {"type": "balance_change", "address": watched},
        "actions": [{"type": "transfer_sol", "to": new_address(), "lamports": 900_000}],
        "notifications": [{"channel": str(channel.id), "on": ["success", "failed"]}],
    }
    workflow = workflow_create(actor=actor, definition=definition, settings={"name": "traced"}, signer_id=signer.id)
    workflow_enable(actor=actor, workflow=workflow)
    traced.start("listener", "worker", "beat")
    traced.chain.airdrop(watched, SOL)
    wait_for(lambda: Delivery.objects.filter(status="delivered").exists(), 30, "a message")
    row = Execution.objects.get()
    wait_for(lambda: len(spans(collector)) == len(STAGES), 10, "all spans")

    trace_id, first_span_id = (f"{number:x}" for number in ids_of(row.execution_id))
    first, *others = spans(collector)
    assert [span.name for span in (first, *others)] == STAGES
    assert {span.trace_id.hex().lstrip("0") for span in (first, *others)} == {trace_id}
    assert (first.span_id.hex().lstrip("0"), first.parent_span_id) == (first_span_id, b"")
    assert {span.parent_span_id for span in others} == {first.span_id}
    attributes = {one.key: one.value.string_value for one in first.attributes}
    assert attributes["solflow.execution"] == row.execution_id
    assert attributes["solflow.workflow"] == str(workflow.id)

    lines = [json.loads(line) for line in about(row.execution_id, traced)]
    assert {f"execution_{stage}" for stage in STAGES} <= {line["event"] for line in lines}
    assert {line["workflow"] for line in lines} == {str(workflow.id)}

    told = b"".join(request.body for request in collector.requests) + traced.logs().encode()
    assert not [one for one in (secret, TOKEN, key.secret().hex()) if one.encode() in told]


def about(execution_id: str, stack: Stack) -> list[str]:
    """The lines of all processes that name the execution."""
    return [
        line
        for process in stack.processes
        if process.log.exists()
        for line in process.log.read_text().splitlines()
        if execution_id in line
    ]


def test_a_collector_that_is_away_loses_traces_and_nothing_else(traced: Stack, collector: HttpStub):
    collector.default = Answer(503)
    actor, watched = system(default_team(), "test"), new_address()
    workflow = workflow_create(
        actor=actor,
        definition={"trigger": {"type": "balance_change", "address": watched}, "actions": []},
        settings={"name": "traced"},
    )
    workflow_enable(actor=actor, workflow=workflow)
    traced.start("listener", "worker", "beat")
    traced.chain.airdrop(watched, SOL)
    wait_for(lambda: Execution.objects.filter(status="success").exists(), 30, "a success")
    wait_for(lambda: "traces_lost" in traced.logs(), 15, "a line about it")
    traced.worker.stop(timeout_s=12)
    traced.listener.stop(timeout_s=12)
