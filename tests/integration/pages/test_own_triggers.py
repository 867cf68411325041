"""What people see of schedules and webhooks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from tests.integration.pages.conftest import browser, text_of
from tests.people import Person
from workflows.models import WebhookSecret, Workflow
from workflows.services import webhook_secret_make

Make = Callable[..., Workflow]
DAILY = {"trigger": {"type": "schedule", "cron": "30 9 * * *", "timezone": "Europe/Berlin"}}


def hook(auth: str = "standard") -> dict[str, Any]:
    return {"trigger": {"type": "webhook", "auth": auth}}


def shown(client: Client, workflow: Workflow) -> str:
    return text_of(client.get(reverse("workflows:detail", args=[workflow.id])))


def rotate(client: Client, workflow: Workflow, **form: str) -> Any:
    return client.post(reverse("workflows:webhook-secret", args=[workflow.id]), form)


def test_the_page_of_a_schedule_says_when_it_runs_next(make: Make, pages: Client) -> None:
    with time_machine.travel(datetime(2026, 10, 24, 12, tzinfo=UTC), tick=False):
        workflow = make(definition=DAILY)
    page = shown(pages, workflow)
    assert "25 Oct 2026, 08:30:00 UTC" in page
    assert "30 9 * * *" in page and "Europe/Berlin" in page and "run once, as one" in page


def test_a_schedule_that_is_not_enabled_has_no_next_run(make: Make, pages: Client) -> None:
    assert "when it is enabled" in shown(pages, make(enabled=False, definition=DAILY))


def test_the_page_of_a_webhook_says_where_to_post_and_that_a_secret_is_missing(make: Make, pages: Client) -> None:
    workflow = make(definition=hook())
    page = shown(pages, workflow)
    assert f"http://testserver/hooks/{workflow.id}/" in page
    assert "There is no secret yet" in page and "a signature (Standard Webhooks)" in page


@pytest.mark.parametrize("auth", ["standard", "header"])
def test_a_secret_is_shown_by_the_page_that_makes_it_and_never_again(make: Make, pages: Client, auth: str) -> None:
    workflow = make(definition=hook(auth))
    answer = rotate(pages, workflow)
    made = answer.context["made"]
    assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
    assert made.secret in text_of(answer) and f"/hooks/{workflow.id}/" in text_of(answer)
    page = shown(pages, workflow)
    assert made.secret not in page and "There is no secret yet" not in page
    assert "made" in page


def test_the_old_secret_stays_for_a_day_unless_it_is_ended(make: Make, pages: Client) -> None:
    workflow = make(definition=hook())
    rotate(pages, workflow)
    assert "is accepted until" in text_of(rotate(pages, workflow))
    assert "valid until" in shown(pages, workflow)
    assert "No other secret is accepted" in text_of(rotate(pages, workflow, end_old="on"))
    assert WebhookSecret.objects.count() == 1


def test_a_workflow_that_no_webhook_starts_gets_none_and_is_told_why(workflow: Workflow, pages: Client) -> None:
    answer = pages.post(reverse("workflows:webhook-secret", args=[workflow.id]), follow=True)
    assert "only a workflow whose trigger is a webhook" in text_of(answer)


def test_only_an_admin_is_offered_a_new_secret(
    make: Make, alice: Person, bob: Person, carol: Person, pages: Client
) -> None:
    workflow = make(definition=hook())
    webhook_secret_make(actor=alice.actor, workflow=workflow)
    assert "New secret" in shown(pages, workflow)
    for who in (bob, carol):
        assert "New secret" not in shown(browser(who), workflow)
        assert rotate(browser(who), workflow).status_code == 403


def test_the_pages_ask_the_database_no_more_than_others(
    make: Make, pages: Client, django_assert_max_num_queries: Any
) -> None:
    for definition in (DAILY, hook()):
        workflow = make(definition=definition)
        with django_assert_max_num_queries(13):
            shown(pages, workflow)
