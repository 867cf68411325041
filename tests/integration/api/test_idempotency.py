from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import base58
import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient
from solders.keypair import Keypair

from accounts.models import AuditEntry, IdempotencyKey, Role
from executions.models import Execution
from tests.integration.api.conftest import manual
from tests.people import Person, person
from workflows.models import Workflow

Create = Callable[..., dict[str, Any]]
URL = "/api/v1/workflows/"


def post(client: APIClient, body: Any, key: str, url: str = URL) -> Any:
    return client.post(url, body, format="json", HTTP_IDEMPOTENCY_KEY=key)


def test_the_same_key_and_body_give_the_same_answer_and_one_workflow(api: APIClient) -> None:
    body = {"name": "x", "definition": manual()}
    first, again = post(api, body, "k1"), post(api, dict(reversed(body.items())), "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert Workflow.objects.count() == 1


def test_another_body_with_the_same_key_is_409(api: APIClient) -> None:
    post(api, {"name": "x", "definition": manual()}, "k1")
    answer = post(api, {"name": "y", "definition": manual()}, "k1")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert Workflow.objects.count() == 1


def test_a_refused_request_leaves_no_key(api: APIClient) -> None:
    assert post(api, {"name": "x"}, "k1").status_code == 400
    assert post(api, {"name": "x", "definition": manual()}, "k1").status_code == 201


def test_keys_belong_to_a_team_and_an_address(api: APIClient, charlie: Person) -> None:
    body = {"name": "x", "definition": manual()}
    made = post(api, body, "k1").json()
    assert post(charlie.client(), body, "k1").json()["id"] != made["id"]
    assert post(api, {"name": "x", "entries": []}, "k1", "/api/v1/address-lists/").status_code == 201


def test_two_people_of_a_team_with_one_key_get_their_own_answers(api: APIClient, alice: Person) -> None:
    dora = person("dora", Role.ADMIN).client()
    made = post(api, {"name": "x", "definition": manual()}, "1").json()
    other = post(dora, {"name": "y", "definition": manual()}, "1")
    assert (other.status_code, other.json()["name"]) == (201, "y")
    assert post(api, {"name": "x", "definition": manual()}, "1").json()["id"] == made["id"]
    assert post(alice.client(), {"name": "x", "definition": manual()}, "1").json()["id"] == made["id"]


def test_a_session_and_a_token_of_one_person_are_that_person(api: APIClient, alice: Person) -> None:
    body = {"name": "x", "definition": manual()}
    session = APIClient()
    session.force_login(alice.user)
    assert post(session, body, "1").json()["id"] == post(api, body, "1").json()["id"]


def test_a_run_with_somebody_elses_key_is_theirs_or_none(api: APIClient, create: Create, bob: Person) -> None:
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': manual()})['id']}/"
    api.post(f"{url}enable/")
    first = post(api, {"data": {"n": 1}}, "1", f"{url}run/").json()
    other = post(bob.client(), {"data": {"n": 2}}, "1", f"{url}run/")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    same = post(bob.client(), {"data": {"n": 1}}, "1", f"{url}run/")
    assert (same.status_code, same.json()) == (202, first)
    assert Execution.objects.count() == 1
    assert AuditEntry.objects.filter(action="execution_run").count() == 1


def test_a_key_is_forgotten_after_a_day(api: APIClient) -> None:
    body = {"name": "x", "definition": manual()}
    first = post(api, body, "k1").json()
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert post(api, body, "k1").json()["id"] != first["id"]
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
def test_a_key_that_is_none_is_400(api: APIClient, key: str) -> None:
    answer = post(api, {"name": "x", "definition": manual()}, key)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "Idempotency-Key")


def test_running_twice_with_one_key_runs_once(api: APIClient, create: Create) -> None:
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': manual()})['id']}/"
    api.post(f"{url}enable/")
    first, again = (post(api, {"data": {"n": 1}}, "k1", f"{url}run/") for _ in range(2))
    assert (first.status_code, first.json()) == (202, again.json())
    assert post(api, {"data": {"n": 2}}, "k1", f"{url}run/").status_code == 409
    assert Execution.objects.count() == 1


def test_what_is_remembered_of_a_signers_request_is_no_key(api: APIClient, no_chain: None) -> None:
    keypair = Keypair()
    body = {"name": "x", "secret_key": base58.b58encode(bytes(keypair)).decode()}
    first, again = post(api, body, "k1", "/api/v1/signers/"), post(api, body, "k1", "/api/v1/signers/")
    assert (first.status_code, first.json()) == (201, again.json())
    row = IdempotencyKey.objects.get()
    assert body["secret_key"] not in f"{row.answer}{row.body_hash}{row.route}{row.key}"


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_with_one_key_make_one_workflow(alice: Person) -> None:
    body = {"name": "x", "definition": manual()}
    clients = [alice.client() for _ in range(4)]
    answers: list[Any] = []

    def ask(client: APIClient) -> None:
        answers.append(post(client, body, "k1"))
        connection.close()

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Workflow.objects.count() == 1
