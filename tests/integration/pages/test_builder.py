"""The builder as plain forms: every edit goes to the draft, every problem stands beside its field."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from executions.models import Execution
from tests import idls
from tests.integration.pages.conftest import RECIPIENT, WATCHED, browser, ended, paying, text_of
from tests.people import Person
from workflows.forms.start import TRIGGERS
from workflows.models import Channel, Idl, Workflow
from workflows.services import idl_create
from workflows.specs.triggers import TRIGGER_TYPES

HTMX = {"HX-Request": "true"}


def at(workflow: Workflow, name: str = "builder", **parameters: str) -> str:
    return reverse(f"workflows:{name}", args=[workflow.id], query=parameters)


def edit(client: Client, workflow: Workflow, card: str, **options: Any) -> Any:
    """Post the form of a card, with these values of its controls; follows to the page that comes then."""
    values = options.pop("values", {})
    return client.post(at(workflow), {"card": card, **values, **options}, follow=True)


def draft(workflow: Workflow) -> dict[str, Any]:
    workflow.refresh_from_db()
    assert workflow.draft is not None
    return workflow.draft


def beside(response: Any, name: str) -> str:
    """The problems beside a control."""
    [control] = [one for one in response.context["builder"].inspector.controls if one.name == name]
    return " ".join(control.problems)


def test_the_builder_shows_what_is_published_and_keeps_no_draft_by_looking(workflow: Workflow, pages: Client) -> None:
    for card in ("", "trigger", "filter", "actions[0]", "notifications[0]"):
        page = pages.get(at(workflow, card=card))
        assert page.status_code == 200 and "Transfer 0.0009 SOL" in text_of(page)
    workflow.refresh_from_db()
    assert workflow.draft is None


def test_a_new_workflow_begins_as_a_draft_of_its_trigger_and_does_nothing_yet(pages: Client, db: None) -> None:
    page = pages.post("/workflows/new/", {"name": "Mine", "trigger": "token_receipt"}, follow=True)
    made = Workflow.objects.get()
    assert page.request["PATH_INFO"] == at(made) and draft(made)["trigger"] == {"type": "token_receipt", "mint": ""}
    assert (made.enabled, made.trigger_type) == (False, "manual")
    assert "Must be a Solana address" in beside(page, "trigger.mint")


def test_an_edit_is_kept_in_the_draft_and_changes_nothing_that_runs(workflow: Workflow, pages: Client) -> None:
    page = edit(
        pages, workflow, "actions[0]", values={"actions[0].lamports": "0.0005", "actions[0].lamports/unit": "SOL"}
    )
    assert draft(workflow)["actions"][0]["lamports"] == "0.0005 SOL"
    assert workflow.version is not None and workflow.version.definition["actions"][0]["lamports"] == 900_000
    assert page.request["QUERY_STRING"] == "card=actions%5B0%5D" and "Draft of version 2, saved" in text_of(page)


def test_a_form_posted_as_it_was_shown_leaves_no_draft(workflow: Workflow, pages: Client) -> None:
    for card in ("trigger", "actions[0]", "notifications[0]"):
        inspector = pages.get(at(workflow, card=card)).context["builder"].inspector
        values: dict[str, Any] = {f"{card}/kind": inspector.kind}
        for control in inspector.controls:
            values[control.name] = ["", *control.ticked] if control.kind in ("switch", "choices") else control.text
            values[f"{control.name}/unit"] = control.unit
        edit(pages, workflow, card, values=values)
        workflow.refresh_from_db()
        assert workflow.draft is None, card


def test_a_problem_stands_beside_its_field_and_the_draft_is_kept(workflow: Workflow, pages: Client) -> None:
    page = edit(pages, workflow, "trigger", values={"trigger.address": "nowhere"})
    assert "Must be a Solana address" in beside(page, "trigger.address")
    assert page.context["builder"].trigger.problems == 1
    assert draft(workflow)["trigger"]["address"] == "nowhere"
    assert 'aria-invalid="true"' in text_of(page)


def test_an_amount_above_the_workflows_limit_is_told_beside_the_amount(workflow: Workflow, pages: Client) -> None:
    page = edit(pages, workflow, "actions[0]", values={"actions[0].lamports": "5", "actions[0].lamports/unit": "SOL"})
    assert "above this workflow's max_lamports_per_tx" in beside(page, "actions[0].lamports")


def test_another_kind_of_trigger_keeps_what_both_have(workflow: Workflow, pages: Client) -> None:
    edit(pages, workflow, "trigger", values={"trigger/kind": "account_change", "trigger.address": WATCHED})
    assert draft(workflow)["trigger"] == {"type": "account_change", "address": WATCHED}


def test_steps_are_added_moved_and_removed_by_buttons(workflow: Workflow, pages: Client) -> None:
    page = edit(pages, workflow, "trigger", do="add action memo")
    assert page.context["builder"].inspector.node.path == "actions[1]"
    edit(pages, workflow, "actions[1]", values={"actions[1].text": "paid"}, do="up actions[1]")
    assert [action["type"] for action in draft(workflow)["actions"]] == ["memo", "transfer_sol"]
    assert draft(workflow)["actions"][0]["text"] == "paid"
    edit(pages, workflow, "actions[0]", do="remove actions[0]")
    workflow.refresh_from_db()
    assert workflow.draft is None, "what is again as it is published is no draft"
    page = edit(pages, workflow, "trigger", do="add notification")
    assert "Choose a channel" in text_of(page) and page.context["builder"].inspector.node.path == "notifications[1]"


def test_a_filter_of_nested_groups_is_built_by_buttons_and_fields(workflow: Workflow, pages: Client) -> None:
    edit(pages, workflow, "filter", do="add filter")
    values = {
        "filter.all[0].field": "event.lamports_delta",
        "filter.all[0].op": "gte",
        "filter.all[0].value": "0.5 SOL",
    }
    edit(pages, workflow, "filter", values=values, do="add group filter.all")
    inner = "filter.all[1].any[0]"
    values = {f"{inner}.field": "event.owner", f"{inner}.op": "eq", f"{inner}.value": RECIPIENT}
    edit(pages, workflow, "filter", values={**values, "filter.all[1]/mode": "none"})
    page = pages.get(at(workflow, card="filter"))
    assert page.context["builder"].problems == 0
    assert draft(workflow)["filter"] == {
        "all": [
            {"field": "event.lamports_delta", "op": "gte", "value": "0.5 SOL"},
            {"not": {"any": [{"field": "event.owner", "op": "eq", "value": RECIPIENT}]}},
        ]
    }


def test_a_problem_of_a_condition_stands_in_its_row(workflow: Workflow, pages: Client) -> None:
    edit(pages, workflow, "filter", do="add filter")
    page = edit(pages, workflow, "filter", values={"filter.all[0].op": "gte", "filter.all[0].value": "25,000"})
    [row] = page.context["builder"].inspector.rows.children
    assert row.wrong == {"value"} and "a number" in row.problems[0]


def test_json_and_form_edit_the_same_draft(workflow: Workflow, pages: Client) -> None:
    page = pages.get(at(workflow, panel="json"))
    assert '"lamports": 900000' in text_of(page).replace("&quot;", '"')
    text = page.context["text"].replace("900000", '"0.0004 SOL"')
    pages.post(at(workflow, "builder-json"), {"json": text, "card": "actions[0]"})
    page = pages.get(at(workflow, card="actions[0]"))
    [amount] = [one for one in page.context["builder"].inspector.controls if one.name == "actions[0].lamports"]
    assert (amount.text, amount.unit) == ("0.0004", "SOL")


def test_a_draft_may_be_any_object_and_is_shown_without_an_error(workflow: Workflow, pages: Client) -> None:
    for text in (
        "{}",
        '{"trigger": 1, "filter": 2, "actions": 3, "notifications": 4}',
        '{"trigger": {"type": []}, "filter": {"all": [1, {"not": 2}, {}]}, "actions": [null, {"type": "x"}, {}]}',
        '{"filter": {"field": 1, "op": 2, "value": {}}, "notifications": [{"on": 1, "channel": {}}, []]}',
        '{"trigger": {"type": "token_receipt", "min_amount": 1.5, "mint": 1}, "actions": [{"type": "call_program"}]}',
    ):
        assert pages.post(at(workflow, "builder-json"), {"json": text}).status_code == 303, text
        for card in ("trigger", "filter", "actions[0]", "actions[1]", "actions[2]", "notifications[0]"):
            page = pages.get(at(workflow, card=card, panel="json"))
            assert page.status_code == 200 and page.context["builder"].problems, (text, card)
            assert edit(pages, workflow, card).status_code == 200


def test_text_that_is_no_json_is_not_kept_and_comes_back_with_its_line(workflow: Workflow, pages: Client) -> None:
    page = pages.post(at(workflow, "builder-json"), {"json": '{\n  "trigger": \n}'})
    assert page.status_code == 422 and "Line 3" in text_of(page) and "is not JSON" in text_of(page)
    workflow.refresh_from_db()
    assert workflow.draft is None


def test_a_secret_is_never_kept_in_a_draft(workflow: Workflow, pages: Client) -> None:
    secret = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123"
    page = edit(pages, workflow, "notifications[0]", values={"notifications[0].message": secret})
    assert page.status_code == 422
    assert "Not saved" in text_of(page) and beside(page, "notifications[0].message")
    workflow.refresh_from_db()
    assert workflow.draft is None


def test_publishing_makes_a_version_of_what_the_form_holds(
    make: Callable[..., Workflow], pages: Client, chain: Any
) -> None:
    workflow = make(enabled=False)
    values = {"card": "actions[0]", "actions[0].lamports": "700000", "actions[0].lamports/unit": "lamports"}
    page = pages.post(at(workflow, "publish"), values, follow=True)
    assert "Version 2 is published" in text_of(page)
    workflow.refresh_from_db()
    assert workflow.draft is None and workflow.version is not None
    assert workflow.version.definition["actions"][0]["lamports"] == 700_000


def test_a_wrong_draft_is_not_published(workflow: Workflow, pages: Client) -> None:
    page = pages.post(at(workflow, "publish"), {"card": "trigger", "trigger.address": "nowhere"}, follow=True)
    assert "must be a Solana address" in text_of(page)
    assert draft(workflow)["trigger"]["address"] == "nowhere" and workflow.version is not None
    assert workflow.version.number == 1


def test_discarding_brings_back_what_is_published(workflow: Workflow, pages: Client) -> None:
    edit(pages, workflow, "trigger", do="add action memo")
    assert "The draft is gone" in text_of(pages.post(at(workflow, "discard"), follow=True))
    workflow.refresh_from_db()
    assert workflow.draft is None
    actions = AuditEntry.objects.filter(target_id=str(workflow.id)).order_by("id").values_list("action", flat=True)
    assert list(actions)[-2:] == ["workflow_draft_begun", "workflow_draft_discarded"]


def test_a_button_of_an_old_page_does_nothing_and_says_so(workflow: Workflow, pages: Client) -> None:
    for command in (
        "remove actions[7]",
        "up nothing",
        "add condition filter.all",
        "add action x",
        "explode",
        "down trigger",
    ):
        page = edit(pages, workflow, "trigger", do=command)
        assert page.status_code == 200 and "not there any more" in text_of(page), command
    workflow.refresh_from_db()
    assert workflow.draft is None
    edit(pages, workflow, "trigger", values={"trigger.direction": "decrease"}, do="explode")
    assert draft(workflow)["trigger"]["direction"] == "decrease", "what the form held is kept all the same"


def test_with_htmx_the_answer_is_the_builder_alone_at_its_new_address(workflow: Workflow, pages: Client) -> None:
    answer = pages.post(at(workflow), {"card": "trigger", "open": "filter"}, headers=HTMX)
    assert answer.status_code == 200 and "<html" not in text_of(answer) and 'id="builder"' in text_of(answer)
    assert answer.headers["HX-Replace-Url"] == at(workflow, card="filter")
    assert "data-focus" in text_of(answer)


def test_only_those_who_edit_open_the_builder(workflow: Workflow, bob: Person, charlie: Person) -> None:
    for name in ("builder", "publish", "discard", "builder-json"):
        assert browser(bob).post(at(workflow, name)).status_code == 403
        assert browser(charlie).post(at(workflow, name)).status_code == 404


def test_every_trigger_can_be_begun() -> None:
    assert {kind for kind, _ in TRIGGERS} == set(TRIGGER_TYPES)


@pytest.mark.parametrize("card", ["trigger", "filter", "actions[0]", "notifications[0]"])
def test_a_card_costs_a_page_at_most_twelve_queries(
    card: str, make: Callable[..., Workflow], channel: Channel, pages: Client, django_assert_max_num_queries: Any
) -> None:
    filtered = paying(channel, filter={"all": [{"field": "event.slot", "op": "gt", "value": 0}]})
    workflow = make(definition=filtered)
    edit(pages, workflow, "trigger", do="add action call_program.idl")
    with django_assert_max_num_queries(12):
        pages.get(at(workflow, card=card, panel="test"))


def run(client: Client, workflow: Workflow, **values: str) -> Any:
    return client.post(at(workflow, "builder-test"), {"card": "trigger", **values})


def test_a_test_run_shows_what_the_filter_saw_the_transaction_and_the_message(
    workflow: Workflow, pages: Client, chain: Any
) -> None:
    assert workflow.signer is not None
    chain.airdrop(workflow.signer.address, 10_000_000)
    chain.airdrop(RECIPIENT, 10_000_000)
    page = run(pages, workflow)
    trial = page.context["trial"]
    assert (page.status_code, trial.look.word, trial.preview.source) == (200, "Would act", "sample")
    changes = {(row.address, row.amount) for row in trial.changes}
    assert (RECIPIENT, "+0.0009 SOL") in changes and (workflow.signer.address, "−0.000905 SOL") in changes
    text = text_of(page)
    assert "Compute units" in text and "would be sent" in text and 'class="discord"' in text
    assert "system.transfer" in text and "lamports 900,000" in text
    assert not Execution.objects.exists()


def test_a_test_run_tries_the_draft_with_what_the_form_holds_and_keeps_it(workflow: Workflow, pages: Client) -> None:
    condition = {"field": "event.lamports_delta", "op": "lt", "value": 5}
    pages.post(at(workflow, "builder-json"), {"json": json.dumps({**paying(), "filter": condition})})
    page = run(pages, workflow, **{"card": "filter", "filter.value": "7"})
    assert page.context["trial"].look.word == "Would be filtered out"
    assert "event.lamports_delta less than 7" in text_of(page) and draft(workflow)["filter"]["value"] == 7


def test_a_test_run_names_the_pauses_that_would_hold_it(workflow: Workflow, pages: Client) -> None:
    assert "until the pause is lifted" not in text_of(run(pages, workflow))
    Workflow.objects.filter(pk=workflow.pk).update(paused_at=timezone.now(), paused_reason="lost laptop")
    text = text_of(run(pages, workflow))
    assert "It would wait until the pause is lifted: the workflow is paused: lost laptop." in text


def test_a_test_run_tries_a_past_event(workflow: Workflow, pages: Client) -> None:
    past = ended(workflow, "success")
    assert past.execution_id in text_of(pages.get(at(workflow, panel="test")))
    page = run(pages, workflow, event=past.execution_id)
    assert page.context["trial"].preview.source == "past"
    assert "there is no such execution" in text_of(run(pages, workflow, event="0" * 64))


def test_a_test_run_that_cannot_be_made_says_why(workflow: Workflow, pages: Client) -> None:
    assert "64 bytes in base58" in text_of(run(pages, workflow, signature="nonsense"))
    assert "cannot be reached" in text_of(run(pages, workflow, signature="5" * 88))
    edit(pages, workflow, "trigger", values={"trigger.address": "nowhere"})
    page = run(pages, workflow)
    assert page.status_code == 200 and "The draft has problems" in text_of(page)


def test_a_notification_is_shown_as_its_channel_will_show_it_while_it_is_written(
    workflow: Workflow, pages: Client
) -> None:
    page = edit(pages, workflow, "notifications[0]", values={"notifications[0].message": "Got **{{ event.slot }}**"})
    assert [occasion for occasion, _, _ in page.context["told"]] == ["success", "failed"]
    assert "Got <strong>250000000</strong>" in text_of(page)
    page = edit(pages, workflow, "notifications[0]", values={"notifications[0].message": "{{ event. }}"})
    assert page.context["told"] == [] and "wrong template" in beside(page, "notifications[0].message")


def test_a_message_of_a_draft_is_about_the_drafts_trigger(workflow: Workflow, pages: Client) -> None:
    edit(pages, workflow, "trigger", values={"trigger/kind": "schedule", "trigger.cron": "0 9 * * *"})
    edit(pages, workflow, "trigger", values={"trigger.cron": "0 9 * * *"})
    page = edit(pages, workflow, "notifications[0]", values={"notifications[0].message": "at {{ event.due_at }}"})
    assert "at 2026-01-01" in text_of(page)


@pytest.fixture
def system_idl(alice: Person) -> Idl:
    return idl_create(actor=alice.actor, name="system", document=idls.SYSTEM)


def calling(idl: Idl, **parts: Any) -> dict[str, Any]:
    call = {"type": "call_program", "program_id": idls.SYSTEM_PROGRAM, "idl": str(idl.id), **parts}
    return {"schema": 1, "trigger": {"type": "manual"}, "actions": [call], "notifications": []}


def test_a_call_by_idl_asks_for_the_accounts_and_arguments_of_its_instruction(
    workflow: Workflow, system_idl: Idl, pages: Client
) -> None:
    pages.post(at(workflow, "builder-json"), {"json": json.dumps(calling(system_idl, instruction=""))})
    page = edit(pages, workflow, "actions[0]", values={"actions[0].instruction": "transfer"})
    controls = {one.label: one for one in page.context["builder"].inspector.controls}
    assert controls["Instruction"].offers == ("transfer",)
    assert "signer" in controls["Account from"].help and controls["Argument lamports"].help == "u64"
    assert controls["Account to"].problems and controls["Argument lamports"].problems
    assert page.context["builder"].inspector.above == ()
    values = {"actions[0].accounts.to/text": RECIPIENT, "actions[0].args.lamports": "1000"}
    page = edit(pages, workflow, "actions[0]", values=values)
    call = draft(workflow)["actions"][0]
    assert (call["accounts"], call["args"]) == ({"to": RECIPIENT}, {"lamports": 1000})
    assert page.context["builder"].problems == 0


def test_an_idl_of_another_team_is_not_looked_into(workflow: Workflow, charlie: Person, pages: Client) -> None:
    foreign = idl_create(actor=charlie.actor, name="system", document=idls.SYSTEM)
    pages.post(at(workflow, "builder-json"), {"json": json.dumps(calling(foreign, instruction="transfer"))})
    page = pages.get(at(workflow, card="actions[0]"))
    assert "Account to" not in text_of(page) and "There is no IDL" in beside(page, "actions[0].idl")


def test_the_fields_of_an_idl_event_are_offered(workflow: Workflow, alice: Person, pages: Client) -> None:
    field = {"name": "amount", "type": "u64"}
    document = {
        **idls.SYSTEM,
        "events": [{"name": "Paid", "discriminator": [1, 2, 3, 4, 5, 6, 7, 8]}],
        "types": [{"name": "Paid", "type": {"kind": "struct", "fields": [field]}}],
    }
    idl = idl_create(actor=alice.actor, name="events", document=document)
    trigger = {"type": "program_log", "program_id": idls.SYSTEM_PROGRAM, "idl": str(idl.id), "event": "Paid"}
    pages.post(at(workflow, "builder-json"), {"json": json.dumps({**paying(), "trigger": trigger})})
    page = pages.get(at(workflow, card="trigger"))
    assert [one.offers for one in page.context["builder"].inspector.controls if one.label == "IDL event"] == [("Paid",)]
    offered = pages.get(at(workflow, card="actions[0]")).context["builder"].event_fields
    assert ("event.data.amount", "integer") in [(one.path, one.kind) for one in offered]


def test_hostile_parameters_are_refused_or_kept_and_break_nothing(workflow: Workflow, pages: Client) -> None:
    edit(pages, workflow, "filter", do="add filter")
    names = ("card", "do", "open", "panel", "event", "signature", "json", "trigger/kind", "trigger.address")
    names += (
        "filter/mode",
        "filter.all[0].field",
        "filter.all[0].value",
        "actions[0].lamports",
        "actions[0].lamports/unit",
    )
    values = ("\x00", "<script>alert(1)</script>", "9" * 5000, "[" * 5000, "‮")
    for value in values:
        for name in names:
            for card in ("filter", value):
                posts = {"card": card, name: value}
                for address in ("builder", "builder-json", "builder-test"):
                    response = pages.post(at(workflow, address), posts, headers=HTMX)
                    assert response.status_code in (200, 303, 422), (address, name, value)
                    assert "<script>alert" not in text_of(response)
        assert pages.get(at(workflow, card=value, panel=value)).status_code == 200
