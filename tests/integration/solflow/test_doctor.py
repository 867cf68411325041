"""The doctor names each trouble, says what to do, and shows no secret."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.services import default_team
from executions.balances import balances
from executions.models import Heartbeat
from executions.pauses import installation_pause
from listener.models import Gap, Subscription
from listener.services import workflow_enable
from solflow.doctor import Finding, Level, examine
from solflow.doctor import chain as chain_checks
from solflow.doctor import keys as key_checks
from solflow.doctor import servers as server_checks
from tests.local_chain import LocalChain
from tests.people import Person, person
from tests.services import Services
from workflows.models import Signer
from workflows.services import signer_create, workflow_create

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice() -> Person:
    return person("alice", "admin")


@pytest.fixture
def on_chain(local_chain: LocalChain, settings: Any) -> Iterator[LocalChain]:
    settings.SOLANA_RPC_URLS, settings.SOLANA_WS_URLS = [local_chain.rpc_url], [local_chain.ws_url]
    balances.cache_clear()
    yield local_chain
    balances.cache_clear()


def alive(*kinds: str) -> None:
    for kind in kinds:
        Heartbeat.objects.create(name=kind, kind=kind, at=timezone.now())


def told(check: Any) -> dict[str, Finding]:
    return {finding.subject: finding for finding in check()}


def run(*options: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", *options, stdout=out, no_color=True)
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_a_working_installation_is_well(on_chain: LocalChain) -> None:
    alive("worker", "listener")
    code, text = run()
    assert code == 0, text
    assert "FAIL" not in text
    for line in ("ok    database: PostgreSQL", "ok    broker: answers", "ok    websocket", "ok    worker: 1 seen"):
        assert line in text


def test_what_is_not_seen_fails_with_the_line_to_start(on_chain: LocalChain) -> None:
    alive("worker")
    code, text = run()
    assert code == 1
    assert "FAIL  listener: was never seen: nothing is watched" in text
    assert "-> start it (the line `listener` of Procfile)" in text


def test_as_json_each_line_is_a_finding(on_chain: LocalChain) -> None:
    _, text = run("--json")
    findings = [orjson.loads(line) for line in text.splitlines()]
    assert {"level", "subject", "found", "advice"} == set(findings[0])
    assert {"database", "redis", "broker", "disk"} <= {finding["subject"] for finding in findings}


def test_an_endpoint_that_is_away_is_named_by_host_alone(settings: Any) -> None:
    settings.SOLANA_RPC_URLS = ["http://127.0.0.1:9/rpc?api-key=hidden-in-the-query"]
    settings.SOLANA_WS_URLS = ["ws://127.0.0.1:9/ws?api-key=hidden-in-the-query"]
    balances.cache_clear()
    findings = told(chain_checks.endpoints)
    assert findings["rpc 127.0.0.1:9"].level is Level.FAIL
    assert findings["websocket 127.0.0.1:9"].level is Level.FAIL
    assert not any("hidden" in str(finding) for finding in findings.values())


def test_a_stopped_redis_is_named_and_the_rest_is_still_checked(on_chain: LocalChain, services: Services) -> None:
    services.redis.stop()
    try:
        findings = list(examine())
    finally:
        services.redis.launch()
        services.redis.wait_until_ready()
    failed = {finding.subject for finding in findings if finding.level is Level.FAIL}
    assert {"redis", "broker"} <= failed
    assert any(finding.subject == "worker" for finding in findings)


def test_an_owner_of_the_tables_is_warned_that_the_audit_log_is_open() -> None:
    assert told(server_checks.database)["database role"].level is Level.OK


def test_a_signer_that_cannot_pay_is_named_with_its_address(on_chain: LocalChain, alice: Person) -> None:
    signer = signer_create(actor=alice.actor, name="Treasury")
    call = chain_checks.signers
    assert not list(call())  # nobody uses it
    workflow = workflow_create(
        actor=alice.actor,
        definition={"trigger": {"type": "manual"}, "actions": [{"type": "memo", "text": "x"}]},
        settings={"name": "x"},
        signer_id=signer.id,
    )
    workflow_enable(actor=alice.actor, workflow=workflow)
    (finding,) = call()
    assert finding.level is Level.WARN
    assert signer.address in finding.found


def test_a_box_that_no_key_opens_is_named(alice: Person) -> None:
    signer = signer_create(actor=alice.actor, name="Treasury")
    assert told(key_checks.encryption)["sealed secrets"].level is Level.OK
    Signer.objects.filter(pk=signer.pk).update(sealed=b"from another installation")
    finding = told(key_checks.encryption)["sealed secrets"]
    assert (finding.level, "signer Treasury" in finding.found) == (Level.FAIL, True)


def test_a_public_key_of_another_pair_is_found(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_PUBLIC_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert told(key_checks.encryption)["encryption"].level is Level.FAIL


def test_pauses_and_lost_stretches_are_said_with_the_way_out(on_chain: LocalChain, alice: Person) -> None:
    installation_pause(actor=alice.actor, reason="closing time")
    subscription = Subscription.objects.create(digest="d", kind="balance", address="x", commitment="confirmed")
    Gap.objects.create(subscription=subscription, from_slot=1, to_slot=2, reason="restart", status=Gap.Status.LOST)
    Gap.objects.create(subscription=subscription, from_slot=3, to_slot=4, reason="restart")
    Gap.objects.filter(status="open").update(created_at=timezone.now() - timedelta(minutes=11))
    _, text = run()
    assert "WARN  pause: all signing is paused: closing time\n      -> manage.py resume" in text
    assert "WARN  gaps: 1 stretches of slots could not be read back" in text
    assert "WARN  gaps: 1 open" in text
    assert default_team() is not None
