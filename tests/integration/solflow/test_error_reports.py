"""Sentry: what breaks is told with its place and its ids, and nothing that could be a secret goes with it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from solflow.parts import ROOT, manage
from tests.http_stub import Answer, HttpStub
from tests.waiting import wait_for

SECRETS = ("hunter2", "sealed-key-material", "discord-token", "provider-key")

BREAK = """
import django, structlog
django.setup()
import requests, sentry_sdk
from chain.errors import Unavailable
log = structlog.get_logger("executions.pipeline")

def open_signer(key="sealed-key-material"):
    password = "hunter2"
    {what}

{call}
sentry_sdk.flush(5)
"""
LOGGED = """
try:
    open_signer()
except Exception:
    log.exception("execution_broke", execution="e" * 64, url="https://discord.com/api/webhooks/1/discord-token")
"""
VIEW = """
from django.test import Client
from solflow import health
health.exposition = lambda: open_signer()
Client(raise_request_exception=False, headers={"Host": "localhost"}).get(
    "/metrics?k=hunter2", headers={"Authorization": "Token provider-key", "Cookie": "sessionid=hunter2"})
"""
TASK = """
from executions import tasks
tasks.advance_executions = lambda ids: open_signer()
tasks.advance.apply(args=[["hunter2"]])
"""
FOREIGN = "requests.get('http://127.0.0.1:9/api/webhooks/1/discord-token', params={'k': password})"
OURS = "raise Unavailable('https://user:hunter2@rpc.example/v1/provider-key?k=hunter2 does not answer')"


@pytest.fixture
def sentry() -> Iterator[HttpStub]:
    stub = HttpStub()
    stub.default = Answer.of_json(200, {})
    yield stub
    stub.close()


def events(stub: HttpStub) -> list[dict[str, Any]]:
    """The events in the envelopes that arrived."""
    found = []
    for request in stub.requests:
        lines = body(request).split(b"\n")
        found += [json.loads(text) for head, text in pairwise(lines) if b'"type":"event"' in head]
    return found


def body(request: Any) -> bytes:
    return gzip.decompress(request.body) if request.headers.get("Content-Encoding") == "gzip" else request.body


def run(stub: HttpStub, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    told = {**os.environ, "DJANGO_SETTINGS_MODULE": "solflow.settings", "SENTRY_DSN": f"http://key@{stub.host}/1"}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env={**told, **environment}, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_a_logged_exception_is_told_with_its_execution_and_its_place(sentry: HttpStub):
    done = run(sentry, BREAK.format(what=FOREIGN, call=LOGGED))
    assert done.returncode == 0, done.stderr
    (event,) = wait_for(lambda: events(sentry), 10, "an event")
    assert event["logentry"]["message"] == "execution_broke"
    assert event["tags"] == {"execution": "e" * 64}
    (*_, last) = event["exception"]["values"]
    assert last["type"] == "ConnectionError"
    assert "open_signer" in [frame["function"] for frame in last["stacktrace"]["frames"]]


@pytest.mark.parametrize("what", [FOREIGN, OURS], ids=["of a library", "of ours"])
@pytest.mark.parametrize("call", [LOGGED, "open_signer()", VIEW, TASK], ids=["logged", "unhandled", "view", "task"])
def test_no_secret_is_told(sentry: HttpStub, what: str, call: str):
    run(sentry, BREAK.format(what=what, call=call))
    wait_for(lambda: events(sentry), 10, "an event")
    for request in sentry.requests:
        assert not [secret for secret in SECRETS if secret in body(request).decode()]


@pytest.mark.parametrize(("call", "name"), [(VIEW, "/metrics"), (TASK, "executions.advance")])
def test_a_view_and_a_task_that_break_are_told_once_and_by_name(sentry: HttpStub, call: str, name: str):
    run(sentry, BREAK.format(what=FOREIGN, call=call))
    (event,) = wait_for(lambda: events(sentry), 10, "an event")
    assert event["transaction"] == name


def test_the_text_of_our_own_errors_is_told_with_hosts_only(sentry: HttpStub):
    run(sentry, BREAK.format(what=OURS, call="open_signer()"))
    (event,) = wait_for(lambda: events(sentry), 10, "an event")
    (*_, last) = event["exception"]["values"]
    assert last["value"] == "https://rpc.example does not answer"


def test_a_sentry_that_is_away_does_not_hold_up_the_end_of_a_process(sentry: HttpStub):
    sentry.default = Answer(200, delay_s=20)
    program = BREAK.format(what=OURS, call=LOGGED).replace("sentry_sdk.flush(5)", "import time; t = time.monotonic()")
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "solflow.settings", "SENTRY_DSN": f"http://key@{sentry.host}/1"},
        cwd=ROOT,
        capture_output=True,
        timeout=15,
    )
    assert done.returncode == 0


@pytest.mark.parametrize(
    "dsn", ["sentry.example", "https://sentry.example/1", "https://key@sentry.example/", "ftp://key@sentry.example/1"]
)
def test_a_malformed_dsn_stops_every_process_with_one_line(dsn: str):
    done = subprocess.run(manage("check"), env={**os.environ, "SENTRY_DSN": dsn}, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("solflow: SENTRY_DSN must be https://key@host/project")


def test_nothing_is_loaded_where_it_is_not_set():
    program = "import django, sys; django.setup(); print([n for n in sys.modules if n.startswith('sentry_sdk')])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "solflow.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[]"
