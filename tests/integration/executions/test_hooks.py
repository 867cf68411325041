"""The door of webhooks: who gets in, what each message becomes, and what strangers learn (nothing)."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from standardwebhooks import Webhook

from accounts.actors import Actor
from chain.events import EventKey
from executions import hook_limits
from executions.hooks import MAX_BODY_BYTES
from executions.intake import execution_id
from executions.models import Execution
from workflows.models import Workflow
from workflows.services import (
    webhook_secret_make,
    workflow_create,
    workflow_delete,
    workflow_disable,
    workflow_enable,
    workflow_update,
)

Make = Callable[..., Workflow]
BODY = b'{"amount": 5}'
NOT_FOUND = {"type": "client_error", "code": "not_found", "detail": "there is nothing at this address", "errors": []}


@pytest.fixture
def make(actor: Actor) -> Make:
    def made(auth: str = "standard", *, enabled: bool = True, **settings: Any) -> Workflow:
        definition = {"trigger": {"type": "webhook", "auth": auth}, **settings.pop("parts", {})}
        workflow = workflow_create(actor=actor, definition=definition, settings={"name": "hook", **settings})
        return workflow_enable(actor=actor, workflow=workflow, enabled_at_slot=0) if enabled else workflow

    return made


@pytest.fixture
def secret(actor: Actor) -> Callable[..., str]:
    def made(workflow: Workflow, **how: Any) -> str:
        return webhook_secret_make(actor=actor, workflow=workflow, **how).secret

    return made


def url(workflow: Workflow) -> str:
    return f"/hooks/{workflow.id}/"


def send(workflow: Workflow, body: bytes = BODY, **headers: str) -> Any:
    named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return Client().post(url(workflow), body, content_type="application/json", **named)


def signed(
    secret_text: str, body: bytes = BODY, message_id: str = "msg_1", at: datetime | None = None
) -> dict[str, str]:
    """The headers of a sender that uses the reference library."""
    at = at or datetime.now(UTC)
    signature = Webhook(secret_text).sign(message_id, at, body.decode())
    return {
        "webhook_id": message_id,
        "webhook_timestamp": str(int(at.timestamp())),
        "webhook_signature": signature,
    }


def test_a_signed_message_becomes_an_execution_with_the_contracts_identity(make: Make, secret: Any) -> None:
    workflow = make()
    answer = send(workflow, **signed(secret(workflow)))
    row = Execution.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {"execution_id": execution_id(workflow.id, EventKey("msg_1", "webhook", "0"))}
    assert (row.execution_id, row.trigger) == (answer.json()["execution_id"], "webhook")
    assert row.event["body"] == {"amount": 5}
    assert (row.event["slot"], row.event["signature"], row.event["account"]) == (None, None, None)


def test_the_same_message_gets_the_same_answer_and_runs_once(make: Make, secret: Any) -> None:
    workflow = make()
    text = secret(workflow)
    first, again = send(workflow, **signed(text)), send(workflow, **signed(text))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert send(workflow, **signed(text, message_id="msg_2")).json() != first.json()
    assert Execution.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_message_many_times_at_once_runs_once(make: Make, secret: Any) -> None:
    workflow = make()
    headers, answers = signed(secret(workflow)), []

    def knock() -> None:
        answers.append(send(workflow, **headers))
        connection.close()

    threads = [threading.Thread(target=knock) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    assert Execution.objects.count() == 1


def test_the_event_shows_no_credential(make: Make, secret: Any) -> None:
    workflow = make()
    more = {"authorization": "Bearer x", "cookie": "a=b", "x_api_key": "k", "user_agent": "sender/1"}
    send(workflow, **signed(secret(workflow)), **more)
    event = Execution.objects.get().event
    assert set(event["headers"]) == {"content-type", "user-agent", "webhook-id", "webhook-timestamp"}


@pytest.mark.parametrize("auth", ["standard", "header"])
def test_without_proof_it_is_401_and_nothing_happens(make: Make, secret: Any, auth: str) -> None:
    workflow = make(auth)
    text = secret(workflow)
    wrong = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    attempts: list[dict[str, str]] = [
        {},
        {"authorization": ""},
        {"authorization": "Bearer " + text},
        {"authorization": text[:-1]},
        {"authorization": text + "x"},
        signed(wrong),
        {**signed(wrong), "webhook_signature": ""},
        {"webhook_id": "msg_1"},
    ]
    for headers in attempts:
        answer = send(workflow, **headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), headers
    assert Execution.objects.count() == 0


def test_a_message_signed_for_another_body_or_workflow_is_401(make: Make, secret: Any) -> None:
    workflow, other = make(), make()
    headers = signed(secret(workflow))
    secret(other)
    assert send(workflow, BODY + b" ", **headers).status_code == 401
    assert send(other, **headers).status_code == 401


def test_a_workflow_without_a_secret_lets_nobody_in(make: Make) -> None:
    for auth in ("standard", "header"):
        assert send(make(auth), authorization="").status_code == 401


@pytest.mark.parametrize(("age_s", "status"), [(290, 202), (-290, 202), (310, 401), (-310, 401)])
def test_a_message_may_be_five_minutes_old(make: Make, secret: Any, age_s: int, status: int) -> None:
    workflow = make()
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    assert send(workflow, **signed(secret(workflow), at=at)).status_code == status


def test_the_authorization_header_is_compared_whole_as_it_came(make: Make, secret: Any) -> None:
    workflow = make("header")
    answer = send(workflow, authorization=secret(workflow))
    assert answer.status_code == 202
    key = EventKey(hashlib.sha256(BODY).hexdigest(), "webhook", "0")
    assert answer.json() == {"execution_id": execution_id(workflow.id, key)}


def test_without_an_id_equal_bodies_are_one_message(make: Make, secret: Any) -> None:
    workflow = make("header")
    text = secret(workflow)
    first, again = send(workflow, authorization=text), send(workflow, authorization=text)
    other = send(workflow, b"{}", authorization=text)
    named = send(workflow, authorization=text, webhook_id="msg_9")
    assert first.json() == again.json()
    assert len({answer.json()["execution_id"] for answer in (first, other, named)}) == 3


def test_an_id_that_cannot_be_one_is_400(make: Make, secret: Any) -> None:
    workflow = make("header")
    answer = send(workflow, authorization=secret(workflow), webhook_id="x" * 257)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_whatever_no_webhook_listens_for_is_the_same_404(make: Make, secret: Any, actor: Actor) -> None:
    disabled, deleted, manual = make(), make(), make()
    headers = signed(secret(disabled))
    workflow_disable(actor=actor, workflow=disabled)
    workflow_delete(actor=actor, workflow=deleted)
    workflow_update(actor=actor, workflow=manual, changes={"definition": {"trigger": {"type": "manual"}}})
    unknown = Workflow(id=uuid.uuid4())
    never_enabled = make(enabled=False)
    answers = [send(workflow, **headers) for workflow in (disabled, deleted, manual, unknown, never_enabled)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, NOT_FOUND)] * 5
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1


def test_what_does_not_exist_costs_one_query(make: Make, django_assert_num_queries: Any) -> None:
    for workflow in (make(enabled=False), Workflow(id=uuid.uuid4())):
        with django_assert_num_queries(1):
            send(workflow)


def test_a_body_above_the_limit_is_413_whatever_it_was_sent_to(make: Make, secret: Any) -> None:
    workflow = make("header")
    text, largest = secret(workflow), b'"' + b"x" * (MAX_BODY_BYTES - 2) + b'"'
    assert send(workflow, largest, authorization=text).status_code == 202
    for target in (workflow, Workflow(id=uuid.uuid4())):
        answer = send(target, largest + b" ", authorization=text)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert Execution.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (b"", None),
        (b"hello", "hello"),
        (b"\xff\x00", "\ufffd\ufffd"),
        (b'{"n": 18446744073709551616}', {"n": "18446744073709551616"}),
        (b'{"a": "\\u0000\\ud800"}', {"a": "\ufffd\ufffd"}),
        (b"[" * 5_000, "[" * 5_000),
    ],
)
def test_any_body_is_taken(make: Make, secret: Any, body: bytes, seen: Any) -> None:
    workflow = make("header")
    assert send(workflow, body, authorization=secret(workflow)).status_code == 202
    assert Execution.objects.get().event["body"] == seen


def test_only_post_is_answered(make: Make) -> None:
    workflow = make()
    for method in ("get", "put", "patch", "delete", "head", "options"):
        assert getattr(Client(), method)(url(workflow)).status_code == 405


def test_neither_a_csrf_token_nor_a_cookie_is_asked_for_or_given(make: Make, secret: Any) -> None:
    workflow, client = make("header"), Client(enforce_csrf_checks=True)
    answer = client.post(url(workflow), BODY, content_type="text/plain", HTTP_AUTHORIZATION=secret(workflow))
    assert (answer.status_code, dict(answer.cookies)) == (202, {})


def test_after_a_rotation_both_secrets_count_for_a_day(make: Make, secret: Any) -> None:
    workflow, start = make(), datetime(2026, 5, 4, 9, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        old, new = secret(workflow), secret(workflow)
        assert send(workflow, **signed(old, message_id="a")).status_code == 202
        assert send(workflow, **signed(new, message_id="b")).status_code == 202
    with time_machine.travel(start + timedelta(hours=23, minutes=59), tick=False):
        assert send(workflow, **signed(old, message_id="c")).status_code == 202
    with time_machine.travel(start + timedelta(hours=24, seconds=1), tick=False):
        assert send(workflow, **signed(old, message_id="d")).status_code == 401
        assert send(workflow, **signed(new, message_id="e")).status_code == 202


@pytest.mark.parametrize("auth", ["standard", "header"])
def test_a_secret_that_leaked_can_be_ended_at_once(make: Make, secret: Any, auth: str) -> None:
    workflow = make(auth)
    old, new = secret(workflow), secret(workflow, keep_old=False)

    def prove(text: str) -> dict[str, str]:
        return signed(text) if auth == "standard" else {"authorization": text}

    assert send(workflow, **prove(old)).status_code == 401
    assert send(workflow, **prove(new)).status_code == 202


def test_a_secret_of_the_other_kind_does_not_count(make: Make, secret: Any, actor: Actor) -> None:
    workflow = make("standard")
    text = secret(workflow)
    changed = {"definition": {"trigger": {"type": "webhook", "auth": "header"}}}
    workflow = workflow_update(actor=actor, workflow=workflow, changes=changed)
    assert send(workflow, authorization=text).status_code == 401
    assert send(workflow, **signed(text)).status_code == 401
    assert send(workflow, authorization=secret(workflow)).status_code == 202


def test_a_new_secret_key_reads_what_was_locked_under_the_old_one(make: Make, secret: Any, settings: Any) -> None:
    workflow = make()
    text = secret(workflow)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-secret-key"
    assert send(workflow, **signed(text)).status_code == 202
    settings.SECRET_KEY_FALLBACKS = []
    assert send(workflow, **signed(text, message_id="msg_2")).status_code == 401


def test_one_address_is_held_to_its_rate_whatever_it_asks_for(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_limits, "PER_ADDRESS_S", 3)
    with time_machine.travel(time.time(), tick=False):
        answers = [send(Workflow(id=uuid.uuid4())) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429, 429]
    assert answers[-1].headers["Retry-After"] == "1"


def test_a_workflow_is_held_to_its_rate_by_messages_that_were_proven_only(
    make: Make, secret: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_limits, "PER_WORKFLOW_S", 2)
    workflow, other = make("header"), make("header")
    text, others = secret(workflow), secret(other)
    with time_machine.travel(time.time(), tick=False):
        strangers = [send(workflow).status_code for _ in range(5)]
        senders = [send(workflow, json.dumps(n).encode(), authorization=text).status_code for n in range(3)]
        assert send(other, authorization=others).status_code == 202
    assert (strangers, senders) == ([401] * 5, [202, 202, 429])


def test_without_redis_there_is_no_limit(make: Make, secret: Any, settings: Any) -> None:
    workflow = make("header")
    text = secret(workflow)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}
    assert send(workflow, authorization=text).status_code == 202


def test_a_body_that_the_filter_names_is_what_it_sees(make: Make, secret: Any) -> None:
    """Numbers of the body keep all their digits on the way to a filter."""
    workflow = make("header")
    send(workflow, b'{"lamports": 9007199254740993}', authorization=secret(workflow))
    assert Execution.objects.get().event["body"]["lamports"] == 9_007_199_254_740_993
