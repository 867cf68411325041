"""Workflows by people: the list, the form, and what the buttons do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from executions.models import Execution
from tests.integration.pages.conftest import RECIPIENT, WATCHED, browser, ended, landed, paying, pending, text_of
from tests.local_chain import LocalChain
from tests.people import Person
from workflows.models import Channel, Signer, Workflow
from workflows.services import workflow_update
from workflows.specs import served

CREATE = "/workflows/new/json/"
EPJ = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


def filled(form_page: Any, **changes: Any) -> dict[str, Any]:
    """What a browser would send: the form as the page shows it, with changes."""
    form = form_page.context["form"]
    values = {bound.name: bound.value() for bound in form}
    values |= changes
    return {name: value for name, value in values.items() if value not in (None, False)}


def told(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def address(name: str, workflow: Workflow) -> str:
    return reverse(f"workflows:{name}", args=[workflow.id])


def test_the_list_shows_what_each_workflow_did_in_24_hours(
    make: Callable[..., Workflow], channel: Channel, pages: Client
) -> None:
    busy, quiet = make("Busy"), make("Quiet")
    landed(busy, channel)
    ended(busy, "failed", error_code="build_failed")
    response = pages.get("/workflows/")
    assert response.context["counts"] == {busy.id: {"success": 1, "failed": 1}, quiet.id: {}}
    assert response.context["spent"] == {busy.id: 905_000}
    assert "50.0%" in text_of(response) and "0.000905" in text_of(response) and "never" in text_of(response)


def test_the_list_is_narrowed_by_words_and_state(make: Callable[..., Workflow], pages: Client) -> None:
    make("Watch the treasury")
    make("Tell the team", enabled=False, description="about treasury things")
    make("Sleep", enabled=False)

    def names(**query: str) -> list[str]:
        return [workflow.name for workflow in pages.get("/workflows/", query).context["workflows"]]

    assert names() == ["Sleep", "Tell the team", "Watch the treasury"]
    assert names(q="TREASURY") == ["Tell the team", "Watch the treasury"]
    assert names(q="treasury", status="active") == ["Watch the treasury"]
    assert names(status="disabled") == ["Sleep", "Tell the team"]
    assert names(status="nonsense") == []


def test_the_list_goes_on_by_cursor_without_repeating_or_leaving_out(
    make: Callable[..., Workflow], pages: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solflow.views.workflow.PAGE_SIZE", 2)
    expected = [make(f"Workflow {number}").name for number in range(5)][::-1]
    seen, cursor = [], None
    while True:
        context = pages.get("/workflows/", {"before": cursor} if cursor else {}).context
        seen += [workflow.name for workflow in context["workflows"]]
        cursor = context["next_cursor"]
        if cursor is None:
            break
    assert seen == expected


def test_a_new_installation_sees_the_way_to_its_first_workflow(pages: Client) -> None:
    for page in ("/", "/workflows/"):
        assert "Build your first workflow" in text_of(pages.get(page))


def test_a_workflow_made_by_the_form_has_what_was_filled_in_and_is_not_enabled(
    pages: Client, signer: Signer, channel: Channel
) -> None:
    page = pages.get(CREATE)
    values = filled(
        page,
        name="From the form",
        signer=str(signer.id),
        definition=json.dumps(paying(channel)),
        max_lamports_per_tx="0.002 SOL",
        max_lamports_per_day="5000000",
        max_tokens_per_tx=f"{EPJ} 1500000\n",
        allowed_recipients=RECIPIENT,
        max_executions_per_hour="7",
        pause_after_failures="3",
        ordered="on",
    )
    response = pages.post(CREATE, values)
    made = Workflow.objects.get()
    assert response.url == address("detail", made)
    assert (made.name, made.signer, made.enabled, made.ordered, made.dry_run) == (
        "From the form",
        signer,
        False,
        True,
        False,
    )
    assert (made.max_lamports_per_tx, made.max_lamports_per_day) == (2_000_000, 5_000_000)
    assert made.max_tokens_per_tx == {EPJ: 1_500_000} and made.max_tokens_per_day == {}
    assert made.allowed_recipients == [RECIPIENT] and made.allowed_programs is None
    assert (made.max_executions_per_hour, made.pause_after_failures) == (7, 3)


def test_a_wrong_definition_comes_back_with_each_problem_at_its_line(pages: Client) -> None:
    definition = paying()
    definition["trigger"]["address"] = "not an address"
    definition["actions"][0]["lamprots"] = 1
    text = json.dumps(definition, indent=2)
    response = pages.post(CREATE, filled(pages.get(CREATE), name="Wrong", definition=text))
    assert response.status_code == 422 and not Workflow.objects.exists()
    lines = text.splitlines()
    shown = {
        lines[int(line) - 1].strip().split(":")[0]: detail
        for line, detail in re.findall(r'data-line="(\d+)">Line \d+</a> ([^<]+)', text_of(response))
    }
    assert "must be a Solana address" in shown['"address"']
    assert "is not a known key" in shown['"lamprots"']
    assert response.context["form"]["definition"].value() == text


def test_text_that_is_no_json_is_shown_at_the_line_where_it_breaks(pages: Client) -> None:
    text = '{\n  "schema": 1,\n  "trigger": {,\n}'
    response = pages.post(CREATE, filled(pages.get(CREATE), name="Broken", definition=text))
    assert response.status_code == 422
    assert 'data-line="3"' in text_of(response) and "is not JSON" in text_of(response)


def test_a_wrong_setting_is_said_beside_its_field_and_the_rest_stays_as_typed(pages: Client) -> None:
    values = filled(
        pages.get(CREATE),
        name="Wrong",
        definition=json.dumps(paying()),
        max_lamports_per_tx="0.001",
        max_tokens_per_tx="one two three",
        max_executions_per_hour="0",
        description="kept",
    )
    response = pages.post(CREATE, values)
    errors = response.context["form"].errors
    assert response.status_code == 422
    assert set(errors) == {"max_lamports_per_tx", "max_tokens_per_tx"}
    assert "needs its unit" in errors["max_lamports_per_tx"][0]
    again = pages.post(CREATE, values | {"max_lamports_per_tx": "0.001 SOL", "max_tokens_per_tx": ""})
    assert list(again.context["form"].errors) == ["max_executions_per_hour"]
    assert 'id="id_max_executions_per_hour_error"' in text_of(again) and "kept" in text_of(again)


def test_the_form_shows_a_workflow_so_that_saving_it_unchanged_changes_nothing(
    make: Callable[..., Workflow], pages: Client
) -> None:
    workflow = make(
        enabled=False,
        max_lamports_per_day=123_456_789_012,
        max_tokens_per_tx={EPJ: 7},
        allowed_recipients=[],
        allowed_programs=[WATCHED],
        max_event_age_s=60,
        definition=paying(actions=[]),
    )
    before = Workflow.objects.filter(pk=workflow.pk).values().get()
    page = pages.get(address("edit", workflow))
    assert "123.456789012 SOL" in text_of(page)
    assert list(json.loads(page.context["form"]["definition"].value()))[:2] == ["schema", "trigger"]
    assert pages.post(address("edit", workflow), filled(page)).status_code == 302
    after = Workflow.objects.filter(pk=workflow.pk).values().get()
    assert after == before
    assert workflow.versions.count() == 1


def test_nobody_as_recipient_stays_nobody_through_the_form(make: Callable[..., Workflow], pages: Client) -> None:
    """An empty list forbids every recipient, no list allows any: an edit must not turn one into the other."""
    workflow = make(enabled=False, allowed_recipients=[], definition=paying(actions=[]))
    page = pages.get(address("edit", workflow))
    pages.post(address("edit", workflow), filled(page, description="changed"))
    workflow.refresh_from_db()
    assert (workflow.description, workflow.allowed_recipients) == ("changed", [])


def test_a_changed_definition_is_a_new_version(workflow: Workflow, pages: Client) -> None:
    definition = workflow.version.definition | {"actions": []}
    page = pages.get(address("edit", workflow))
    pages.post(address("edit", workflow), filled(page, definition=json.dumps(definition)))
    workflow.refresh_from_db()
    assert (workflow.version.number, workflow.version.definition["actions"]) == (2, [])


def test_an_edit_never_overwrites_what_somebody_else_changed_meanwhile(
    make: Callable[..., Workflow], pages: Client, bob: Person, alice: Person
) -> None:
    workflow = make(enabled=False)
    page = pages.get(address("edit", workflow))
    workflow_update(actor=alice.actor, workflow=workflow, changes={"max_lamports_per_tx": 950_000})
    response = pages.post(address("edit", workflow), filled(page, name="Mine"))
    workflow.refresh_from_db()
    assert response.status_code == 422 and "Somebody else changed" in text_of(response)
    assert (workflow.name, workflow.max_lamports_per_tx) == ("Pay rent", 950_000)


def test_enabling_without_an_endpoint_says_so_and_changes_nothing(make: Callable[..., Workflow], pages: Client) -> None:
    workflow = make(enabled=False)
    response = pages.post(address("enable", workflow), follow=True)
    assert "no Solana endpoint answers" in text_of(response)
    workflow.refresh_from_db()
    assert not workflow.enabled


def test_a_workflow_is_enabled_at_the_slot_of_now_and_disabled_again(
    make: Callable[..., Workflow], chain: LocalChain, pages: Client
) -> None:
    workflow = make(enabled=False)
    assert "is enabled" in text_of(pages.post(address("enable", workflow), follow=True))
    workflow.refresh_from_db()
    assert workflow.enabled and workflow.enabled_at_slot is not None
    assert "is disabled" in text_of(pages.post(address("disable", workflow), follow=True))
    workflow.refresh_from_db()
    assert not workflow.enabled


def test_a_trigger_that_is_not_served_yet_is_refused_with_the_reason(
    make: Callable[..., Workflow], pages: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "SERVED_TRIGGERS", frozenset())
    workflow = make(enabled=False, definition={"trigger": {"type": "manual"}})
    assert "is not served" in text_of(pages.post(address("enable", workflow), follow=True))


def test_run_now_starts_an_execution_and_shows_it(workflow: Workflow, bob: Person) -> None:
    response = browser(bob).post(address("run", workflow))
    execution = Execution.objects.get()
    assert response.url == reverse("executions:detail", args=[execution.execution_id])
    assert (execution.trigger, execution.workflow) == ("manual", workflow)


def test_a_disabled_workflow_is_not_run(make: Callable[..., Workflow], bob: Person) -> None:
    workflow = make(enabled=False)
    response = browser(bob).post(address("run", workflow), follow=True)
    assert "the workflow is not enabled" in text_of(response)
    assert not Execution.objects.exists()


def test_pause_and_resume_are_two_addresses_so_that_a_double_click_does_one_thing(
    workflow: Workflow, bob: Person
) -> None:
    client = browser(bob)
    for _ in range(2):
        client.post(address("pause", workflow), {"reason": "looks odd"})
        workflow.refresh_from_db()
        assert (workflow.paused_at is not None, workflow.paused_reason) == (True, "looks odd")
    assert "looks odd" in text_of(client.get(address("detail", workflow)))
    for _ in range(2):
        client.post(address("resume", workflow))
        workflow.refresh_from_db()
        assert workflow.paused_at is None


def test_the_detail_page_counts_how_far_events_came(workflow: Workflow, channel: Channel, pages: Client) -> None:
    landed(workflow, channel)
    ended(workflow, "filtered")
    ended(workflow, "failed", error_code="limit_exceeded", error_detail="above the limit")
    pending(workflow)
    response = pages.get(address("detail", workflow))
    assert response.context["funnel"] == {"events": 4, "passed": 2, "success": 1, "failed": 1}
    assert "ops" in text_of(response) and "above the limit" in text_of(response)


def test_a_viewer_is_shown_no_button_that_would_be_refused(workflow: Workflow, carol: Person) -> None:
    client = browser(carol)
    for url in ("/", "/workflows/", "/signers/", "/channels/", address("detail", workflow)):
        forms = re.findall(r'<form method="post" action="([^"]+)"', text_of(client.get(url)))
        assert set(forms) == {"/logout/"}, url
