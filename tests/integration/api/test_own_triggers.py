"""What the API says of schedules and webhooks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from tests.integration.api.conftest import manual
from tests.people import Person
from workflows.models import WebhookSecret

Create = Callable[..., dict[str, Any]]
HOOK = {"trigger": {"type": "webhook"}}


def url_of(workflow: dict[str, Any], *more: str) -> str:
    return "/".join(["/api/v1/workflows", workflow["id"], *more, ""])


def test_the_next_run_of_a_schedule_is_shown_while_it_is_enabled(api: APIClient, create: Create) -> None:
    definition = {"trigger": {"type": "schedule", "cron": "30 9 * * *", "timezone": "Europe/Berlin"}}
    workflow = create("workflows", {"name": "daily", "definition": definition})
    assert workflow["next_due_at"] is None
    with time_machine.travel(datetime(2026, 10, 24, 12, tzinfo=UTC), tick=False):
        enabled = api.post(url_of(workflow, "enable")).json()
    assert enabled["next_due_at"] == "2026-10-25T08:30:00Z"
    assert api.get(url_of(workflow)).json()["next_due_at"] == "2026-10-25T08:30:00Z"
    assert api.get("/api/v1/workflows/").json()["results"][0]["next_due_at"] == "2026-10-25T08:30:00Z"
    assert api.post(url_of(workflow, "disable")).json()["next_due_at"] is None


def test_other_workflows_have_no_next_run(api: APIClient, create: Create) -> None:
    workflow = create("workflows", {"name": "x", "definition": manual()})
    assert api.post(url_of(workflow, "enable")).json()["next_due_at"] is None


def test_what_was_read_can_be_sent_back(api: APIClient, create: Create) -> None:
    definition = {"trigger": {"type": "schedule", "cron": "0 0 * * *"}}
    workflow = create("workflows", {"name": "x", "definition": definition})
    enabled = api.post(url_of(workflow, "enable")).json()
    answer = api.put(url_of(workflow), enabled, format="json")
    assert (answer.status_code, answer.json()["next_due_at"]) == (200, enabled["next_due_at"])


def test_a_secret_is_made_and_told_once(api: APIClient, create: Create) -> None:
    workflow = create("workflows", {"name": "hook", "definition": HOOK})
    answer = api.post(url_of(workflow, "webhook-secret"))
    made = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert (made["url"], made["auth"]) == (f"http://testserver/hooks/{workflow['id']}/", "standard")
    assert made["secret"].startswith("whsec_") and made["old_valid_until"] is None
    for shown in (api.get(url_of(workflow)), api.get(url_of(workflow, "versions")), api.get("/api/v1/audit/")):
        assert made["secret"] not in shown.content.decode()


def test_rotating_says_until_when_the_old_one_counts(api: APIClient, create: Create) -> None:
    workflow = create("workflows", {"name": "hook", "definition": HOOK})
    with time_machine.travel(datetime(2026, 5, 4, 9, tzinfo=UTC), tick=False):
        first = api.post(url_of(workflow, "webhook-secret")).json()
        second = api.post(url_of(workflow, "webhook-secret"), {}, format="json").json()
    assert second["secret"] != first["secret"]
    assert second["old_valid_until"] == "2026-05-05T09:00:00Z"
    ended = api.post(url_of(workflow, "webhook-secret"), {"keep_old": False}, format="json").json()
    assert (ended["old_valid_until"], WebhookSecret.objects.count()) == (None, 1)


def test_an_idempotency_key_does_not_keep_the_secret(api: APIClient, create: Create) -> None:
    workflow = create("workflows", {"name": "hook", "definition": HOOK})
    texts = [api.post(url_of(workflow, "webhook-secret"), HTTP_IDEMPOTENCY_KEY="k").json()["secret"] for _ in range(2)]
    assert texts[0] != texts[1]


@pytest.mark.parametrize("body", [{"keep_old": "perhaps"}, {"keep_odl": True}, {"secret": "mine"}])
def test_a_wrong_request_is_400(api: APIClient, create: Create, body: dict[str, Any]) -> None:
    workflow = create("workflows", {"name": "hook", "definition": HOOK})
    assert api.post(url_of(workflow, "webhook-secret"), body, format="json").status_code == 400
    assert WebhookSecret.objects.count() == 0


def test_a_workflow_that_no_webhook_starts_has_none(api: APIClient, create: Create) -> None:
    workflow = create("workflows", {"name": "x", "definition": manual()})
    answer = api.post(url_of(workflow, "webhook-secret"))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_a_webhook")


def test_only_an_admin_with_the_write_scope_makes_one(
    create: Create, alice: Person, bob: Person, carol: Person, charlie: Person
) -> None:
    url = url_of(create("workflows", {"name": "hook", "definition": HOOK}), "webhook-secret")
    assert [who.client().post(url).status_code for who in (bob, carol)] == [403, 403]
    assert alice.client("read", "run").post(url).status_code == 403
    assert charlie.client().post(url).status_code == 404
    assert APIClient().post(url).status_code == 401
    assert WebhookSecret.objects.count() == 0
