from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.throttling import TokenThrottle
from tests.people import Person

URL = "/api/v1/workflows/"


def shape(answer: Any) -> tuple[int, str, str]:
    body = answer.json()
    assert set(body) == {"type", "code", "detail", "errors"}
    assert all(set(problem) == {"path", "code", "detail"} for problem in body["errors"])
    return answer.status_code, body["type"], body["code"]


def test_without_a_token_everything_is_401_and_says_how_to_log_in(db: None) -> None:
    for path in ("workflows", "executions", "signers", "channels", "address-lists", "idls", "audit", "pause", "stats"):
        answer = APIClient().get(f"/api/v1/{path}/")
        assert shape(answer) == (401, "client_error", "not_authenticated")
        assert answer["WWW-Authenticate"] == "Token"


def test_a_wrong_token_is_401(db: None) -> None:
    for header in ("Token sf_wrong", "Token", "Token a b", "Token ü"):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=header)
        assert shape(client.get(URL)) == (401, "client_error", "authentication_failed")


def test_unknown_addresses_below_api_are_404_in_json(api: APIClient) -> None:
    for path in ("/api/", "/api/v2/", "/api/v1/nothing/", f"{URL}not-a-uuid/", "/api/v1/executions/short/"):
        assert shape(api.get(path)) == (404, "client_error", "not_found")


def test_unknown_addresses_are_404_in_json_for_every_method(db: None) -> None:
    client = APIClient(enforce_csrf_checks=True)
    for method in (client.post, client.put, client.patch, client.delete):
        assert shape(method("/api/v1/nothing/")) == (404, "client_error", "not_found")


def test_an_address_without_its_slash_says_so(api: APIClient) -> None:
    answer = api.post("/api/v1/workflows", {}, format="json")
    assert shape(answer) == (404, "client_error", "not_found")
    assert "slash" in answer.json()["detail"]


def test_another_content_type_is_415(api: APIClient) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = api.post(URL, b"name=x", content_type=content_type)
        assert shape(answer) == (415, "client_error", "unsupported_media_type")


def test_a_method_that_a_resource_does_not_have_is_405(api: APIClient) -> None:
    assert shape(api.delete(URL)) == (405, "client_error", "method_not_allowed")


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"\xff\xfe",
        b'{"name": NaN}',
        b'{"name": 1, "name": 2}',
        b'{"name": "\\u0000"}',
        b'{"\\ud800": 1}',
        b"[" * 100_000,
        b'{"name": ' + b"9" * 5000 + b"}",
    ],
)
def test_json_that_could_not_be_stored_is_400(api: APIClient, raw: bytes) -> None:
    answer = api.post(URL, raw, content_type="application/json")
    assert shape(answer) == (400, "validation_error", "parse_error")


def test_a_body_that_is_too_large_is_413(api: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = api.post(URL, {"name": "x" * 1000}, format="json")
    assert shape(answer) == (413, "client_error", "too_large")


def test_whatever_is_accepted_the_answer_is_json(api: APIClient) -> None:
    answer = api.get(URL, HTTP_ACCEPT="text/html")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_too_many_requests_are_429_with_the_time_to_wait(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenThrottle, "THROTTLE_RATES", {"token": "2/minute", "stranger": "9/minute"})
    client = alice.client()
    answers = [client.get(URL) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert shape(answers[2]) == (429, "client_error", "throttled")
    assert 0 < int(answers[2]["Retry-After"]) <= 61


def test_what_nobody_expected_is_500_in_json_and_says_nothing(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("workflows.api.workflow.workflow_list", broken)
    client = alice.client()
    client.raise_request_exception = False
    answer = client.get(URL)
    assert shape(answer) == (500, "server_error", "error")
    assert b"secret" not in answer.content


def test_a_session_needs_the_csrf_token_for_writes(alice: Person) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice.user)
    assert client.get(URL).status_code == 200
    assert shape(client.post(URL, {}, format="json")) == (403, "client_error", "permission_denied")


def test_pages_that_do_not_exist_are_html(client: Any, db: None) -> None:
    answer = client.get("/nothing/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")
