"""What was read may be sent back with a new value in it; what cannot be changed says so; errors say what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import idls
from tests.integration.api.conftest import DISCORD_URL, WATCHED, manual

MADE: dict[str, dict[str, Any]] = {
    "channels": {"name": "ops", "type": "discord", "config": {"webhook_url": DISCORD_URL}},
    "signers": {"name": "treasury"},
    "address-lists": {"name": "friends", "entries": [{"address": WATCHED, "label": "alice"}]},
    "idls": {"name": "system", "document": idls.SYSTEM},
    "workflows": {"name": "hello", "definition": manual()},
}


@pytest.mark.parametrize("resource", MADE)
def test_what_was_read_is_sent_back_with_a_new_name(api: APIClient, no_chain: None, resource: str) -> None:
    """Masked secrets, times and figures come along; nothing else changes."""
    made = api.post(f"/api/v1/{resource}/", MADE[resource], format="json").json()
    read = api.get(f"/api/v1/{resource}/{made['id']}/").json()

    answer = api.patch(f"/api/v1/{resource}/{made['id']}/", {**read, "name": "renamed"}, format="json")

    assert answer.status_code == 200, answer.json()
    assert answer.json() | {"updated_at": None} == {**read, "name": "renamed", "updated_at": None}


@pytest.mark.parametrize(
    ("resource", "key", "value"),
    [("channels", "type", "slack"), ("signers", "address", WATCHED), ("signers", "backend", "vault")],
)
def test_what_cannot_be_changed_is_refused_by_name(
    api: APIClient, no_chain: None, resource: str, key: str, value: str
) -> None:
    """And says what it is."""
    made = api.post(f"/api/v1/{resource}/", MADE[resource], format="json").json()

    answer = api.patch(f"/api/v1/{resource}/{made['id']}/", {key: value}, format="json")

    (problem,) = answer.json()["errors"]
    assert (answer.status_code, problem["path"], problem["code"]) == (400, key, "unchangeable")
    assert problem["detail"] == f"{key} cannot be changed: it is {made[key]}."


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        ("channels", {**MADE["channels"], "type": "Discord"}, 'type ("Discord") must be one of: discord, telegram'),
        ("channels", {**MADE["channels"], "config": 5}, "config (5) must be an object."),
        ("channels", {"type": "discord", "config": {}}, "name is missing."),
        ("channels", {**MADE["channels"], "nme": "x"}, "nme: is not a known key; known: name, config, type"),
        ("address-lists", {"name": "x", "entries": {}}, "entries must be a list."),
        ("address-lists", {"name": "x", "entries": ["y"]}, 'entries[0]: must be an object, not "y"'),
        ("address-lists", {"name": "", "entries": []}, "name must not be blank."),
        ("address-lists", {"name": "x" * 201, "entries": []}, "name must have at most 200 characters."),
        ("pause", {"reason": None}, "reason must not be null."),
        ("workflows", {**MADE["workflows"], "foo": 1}, "foo is not a known key; known: name, description"),
    ],
)
def test_errors_name_the_field_the_value_and_what_is_allowed(
    api: APIClient, path: str, body: dict[str, Any], detail: str
) -> None:
    """In the words of the definition's own errors, and no value where it may be a secret."""
    answer = api.post(f"/api/v1/{path}/", body, format="json")

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(detail)
    if path == "workflows":
        assert "definition, signer, draft" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("status=SUCCESS", 'status: ("SUCCESS") must be one of: pending, processing, success, failed'),
        ("workflow=x", "workflow: must be an id, a UUID"),
        ("created_after=yesterday", "created_after: must be a time in ISO 8601"),
    ],
)
def test_filters_say_what_they_take(api: APIClient, query: str, detail: str) -> None:
    """Of a list in the query."""
    answer = api.get(f"/api/v1/executions/?{query}")

    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (400, detail)


def test_an_empty_filter_is_none(api: APIClient) -> None:
    """As forms send what was not filled in."""
    answer = api.get("/api/v1/executions/?status=&workflow=&signature=&search=&created_after=")

    assert answer.status_code == 200


def test_a_pause_said_again_without_a_reason_keeps_the_first(api: APIClient, no_chain: None) -> None:
    """Of everything, of a workflow, of a signer; another reason replaces it."""
    signer = api.post("/api/v1/signers/", MADE["signers"], format="json").json()["id"]
    workflow = api.post("/api/v1/workflows/", MADE["workflows"], format="json").json()["id"]
    for path in ("pause/", f"workflows/{workflow}/pause/", f"signers/{signer}/pause/"):
        first = api.post(f"/api/v1/{path}", {"reason": "a leak"}, format="json").json()
        again = api.post(f"/api/v1/{path}", {}, format="json").json()
        other = api.post(f"/api/v1/{path}", {"reason": "a drill"}, format="json").json()

        assert [one["paused_reason"] for one in (first, again, other)] == ["a leak", "a leak", "a drill"]
        assert first["paused_at"] == other["paused_at"]
