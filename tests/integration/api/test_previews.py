"""`POST workflows/{id}/test/`: everything that would happen is said, and nothing does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from chain.tx.instructions import MEMO_PROGRAM
from executions.models import Attempt, Delivery, Execution, RateUnit, Reservation
from tests.event_program import deploy
from tests.executing import balance_event, take_events
from tests.integration.api.conftest import DISCORD_URL, RECIPIENT, WATCHED, manual, paying
from tests.integration.listener.test_live_idl_events import document
from tests.local_chain import LocalChain
from tests.people import Person
from tests.tokens import give_tokens, new_mint
from workflows.models import Workflow

Create = Callable[..., dict[str, Any]]
URL = "/api/v1/workflows/"
DELTA = {"field": "event.lamports_delta", "op": "gte", "value": 500}


def tried(api: APIClient, workflow: dict[str, Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = api.post(f"{URL}{workflow['id']}/test/", body or {}, format="json")
    assert answer.status_code == 200, answer.json()
    return answer.json()


@pytest.fixture
def signer(create: Create, chain: LocalChain) -> dict[str, Any]:
    made = create("signers", {"name": "Treasury"})
    chain.airdrop(made["address"], 10_000_000)
    # The rent of an account that does not exist yet would be more than what is paid.
    chain.airdrop(RECIPIENT, 10_000_000)
    return made


def test_an_empty_body_tries_a_sample_and_pays_nothing(
    api: APIClient, create: Create, signer: dict[str, Any], chain: LocalChain
) -> None:
    channel = create("channels", {"name": "ops", "type": "discord", "config": {"webhook_url": DISCORD_URL}})
    notification = {"channel": channel["id"], "on": ["success"], "message": "got {{ event.lamports_delta }}"}
    definition = paying(filter=DELTA, notifications=[notification])
    workflow = create("workflows", {"name": "pay", "definition": definition, "signer": signer["id"]})
    before = AuditEntry.objects.count(), chain.balance(signer["address"])
    seen = tried(api, workflow)
    assert (seen["source"], seen["matches"], seen["filter_met"], seen["status"]) == ("sample", True, True, "success")
    assert seen["filter_trace"]["saw"] == 1_000_000_000
    transaction = seen["transaction"]
    assert transaction["status"] == "simulated"
    assert transaction["outflow_lamports"] == 1000 + transaction["fee_lamports"]
    assert transaction["recipients"] == [RECIPIENT]
    assert transaction["compute_units"] > 0
    (message,) = seen["notifications"]
    assert (message["sent"], message["text"]) == (True, "got 1000000000")
    assert message["payload"]["embeds"][0]["description"] == "got 1000000000"
    assert DISCORD_URL not in str(seen)
    for kind in (Execution, Attempt, Reservation, RateUnit, Delivery):
        assert not kind.objects.exists()
    assert (AuditEntry.objects.count(), chain.balance(signer["address"])) == before


def test_given_fields_take_the_place_of_the_samples(api: APIClient, create: Create, signer: dict[str, Any]) -> None:
    workflow = create("workflows", {"name": "pay", "definition": paying(filter=DELTA), "signer": signer["id"]})
    seen = tried(api, workflow, {"event": {"lamports_delta": 499}})
    assert (seen["source"], seen["status"], seen["filter_met"]) == ("given", "filtered", False)
    assert seen["filter_trace"]["saw"] == 499
    assert seen["transaction"] is None


def test_an_event_that_the_trigger_does_not_ask_for_makes_no_execution(
    api: APIClient, create: Create, signer: dict[str, Any]
) -> None:
    channel = create("channels", {"name": "ops", "type": "discord", "config": {"webhook_url": DISCORD_URL}})
    definition = paying(notifications=[{"channel": channel["id"], "on": ["success"]}])
    workflow = create("workflows", {"name": "pay", "definition": definition, "signer": signer["id"]})
    seen = tried(api, workflow, {"event": {"account": RECIPIENT}})
    assert (seen["matches"], seen["status"], seen["transaction"]) == (False, None, None)
    assert [one["sent"] for one in seen["notifications"]] == [False]


@pytest.mark.parametrize(
    "event",
    [
        {"slot": "x"},
        {"signature": 5},
        {"signature": {"a": []}},
        {"account": ["x"]},
        {"lamports": "many", "previous_lamports": None},
        {"owner": 7, "data_base64": True},
        {"previous_lamports": True},
    ],
)
def test_fields_that_no_real_event_has_are_refused_by_name(
    api: APIClient, create: Create, no_chain: None, event: dict[str, Any]
) -> None:
    channel = create("channels", {"name": "ops", "type": "discord", "config": {"webhook_url": DISCORD_URL}})
    notification = {"channel": channel["id"], "on": ["success"], "template": "detailed"}
    workflow = create("workflows", {"name": "pay", "definition": paying(notifications=[notification])})
    answer = api.post(f"{URL}{workflow['id']}/test/", {"event": event}, format="json")
    assert answer.status_code == 400, answer.content
    assert {problem["path"] for problem in answer.json()["errors"]} == {f"event.{name}" for name in event}


def test_a_past_event_is_tried_again(api: APIClient, create: Create, signer: dict[str, Any]) -> None:
    shown = create("workflows", {"name": "pay", "definition": paying(), "signer": signer["id"]})
    workflow = Workflow.objects.get(pk=shown["id"])
    take_events(workflow, [balance_event(WATCHED, 5)])
    past = Execution.objects.get()
    seen = tried(api, shown, {"execution_id": past.execution_id})
    assert (seen["source"], seen["event"]) == ("past", past.event)
    other = create("workflows", {"name": "other", "definition": manual()})
    answer = api.post(f"{URL}{other['id']}/test/", {"execution_id": past.execution_id}, format="json")
    assert answer.status_code == 404


def test_every_limit_that_would_refuse_is_named_with_its_figures(
    api: APIClient, create: Create, signer: dict[str, Any]
) -> None:
    body = {
        "name": "pay",
        "definition": paying(actions=[{"type": "transfer_sol", "to": RECIPIENT, "lamports": "{{ 2 * 4000 }}"}]),
        "signer": signer["id"],
        "max_lamports_per_tx": 6000,
        "max_lamports_per_day": 5000,
        "approval_above_lamports": 100,
    }
    seen = tried(api, create("workflows", body))
    assert (seen["status"], seen["needs_approval"]) == ("failed", True)
    assert [one["code"] for one in seen["limits"]] == ["limit_exceeded", "daily_limit_exceeded"]
    assert "max_lamports_per_tx (6000)" in seen["limits"][0]["detail"]
    assert seen["error"] == seen["limits"][0]


def test_a_limit_that_was_narrowed_is_told_before_the_hourly_rate_as_a_worker_does(
    api: APIClient, create: Create, signer: dict[str, Any]
) -> None:
    body = {"name": "pay", "definition": paying(), "signer": signer["id"], "max_executions_per_hour": 1}
    shown = create("workflows", body)
    workflow = Workflow.objects.get(pk=shown["id"])
    RateUnit.objects.create(execution_id=1, workflow=workflow, at=timezone.now())
    assert tried(api, shown)["status"] == "throttled"
    Workflow.objects.filter(pk=workflow.pk).update(max_lamports_per_tx=999)
    assert tried(api, shown)["status"] == "failed"


def test_what_would_fail_on_chain_is_told_and_the_message_still_written(
    api: APIClient, create: Create, signer: dict[str, Any]
) -> None:
    channel = create("channels", {"name": "ops", "type": "discord", "config": {"webhook_url": DISCORD_URL}})
    body = {
        "name": "pay",
        "definition": paying(
            actions=[{"type": "transfer_sol", "to": RECIPIENT, "lamports": 90_000_000}],
            notifications=[{"channel": channel["id"], "on": ["failed"], "template": "error"}],
        ),
        "signer": signer["id"],
        "max_lamports_per_tx": 100_000_000,
    }
    seen = tried(api, create("workflows", body))
    assert (seen["status"], seen["error"]["code"]) == ("failed", "simulation_failed")
    assert seen["transaction"]["status"] == "failed"
    assert seen["notifications"][0]["sent"] is True
    assert "pay failed" in seen["notifications"][0]["title"]


def test_a_draft_and_another_definition_are_tried_and_not_kept(
    api: APIClient, create: Create, signer: dict[str, Any]
) -> None:
    workflow = create("workflows", {"name": "pay", "definition": manual(), "signer": signer["id"]})
    assert tried(api, workflow, {"definition": paying(filter=DELTA)})["event"]["type"] == "balance_change"
    refused = api.post(f"{URL}{workflow['id']}/test/", {"draft": True}, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "draft")
    api.patch(f"{URL}{workflow['id']}/", {"draft": paying()}, format="json")
    assert tried(api, workflow, {"draft": True})["version"] is None
    wrong = api.post(f"{URL}{workflow['id']}/test/", {"definition": {"trigger": {"type": "x"}}}, format="json")
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["path"].startswith("definition.trigger")
    assert api.get(f"{URL}{workflow['id']}/").json()["version"] == 1


def test_without_a_signer_or_a_chain_the_rest_still_answers(api: APIClient, create: Create, no_chain: None) -> None:
    workflow = create("workflows", {"name": "pay", "definition": paying()})
    assert tried(api, workflow)["error"]["code"] == "signer_missing"
    signer = create("signers", {"name": "Treasury"})
    workflow = create("workflows", {"name": "pay", "definition": paying(), "signer": signer["id"]})
    seen = tried(api, workflow)
    assert (seen["filter_met"], seen["error"]["code"]) == (True, "unavailable")


@pytest.mark.parametrize(
    "body",
    [
        {"events": {}},
        {"event": 5},
        {"event": {"type": "manual"}},
        {"event": {"lamports_delta": "much"}},
        {"event": {"lamports_delta": None}},
        {"event": {"x": "a\u0000b"}},
        {"execution_id": "not one"},
        {"execution_id": "0" * 64, "event": {}},
        {"draft": "perhaps"},
    ],
)
def test_a_wrong_body_is_refused_and_says_where(
    api: APIClient, create: Create, no_chain: None, body: dict[str, Any]
) -> None:
    workflow = create("workflows", {"name": "pay", "definition": paying()})
    answer = api.post(f"{URL}{workflow['id']}/test/", body, format="json")
    assert (answer.status_code, bool(answer.json()["detail"])) == (400, True)


def test_an_operator_may_test_and_a_viewer_may_not(
    create: Create, no_chain: None, bob: Person, carol: Person, charlie: Person
) -> None:
    workflow = create("workflows", {"name": "pay", "definition": paying()})
    url = f"{URL}{workflow['id']}/test/"
    codes = [who.client().post(url, {}, format="json").status_code for who in (bob, carol, charlie)]
    assert codes == [200, 403, 404]


def test_the_simulated_transaction_is_told_by_instruction_and_balance(
    api: APIClient, create: Create, signer: dict[str, Any], chain: LocalChain
) -> None:
    mint, payer = new_mint(chain), signer["address"]
    give_tokens(chain, payer, mint, 100)
    give_tokens(chain, RECIPIENT, mint, 5)
    actions = [
        {"type": "transfer_sol", "to": RECIPIENT, "lamports": 1000},
        {"type": "transfer_token", "mint": mint, "to": RECIPIENT, "amount": 7},
        {"type": "call_program", "program_id": MEMO_PROGRAM, "accounts": [], "data": "aGk=", "encoding": "base64"},
    ]
    body = {"name": "pay", "definition": paying(actions=actions), "signer": signer["id"]}

    told = tried(api, create("workflows", {**body, "max_tokens_per_tx": {mint: 10}}))["transaction"]

    kinds = [one["type"] for one in told["instructions"]]
    assert kinds[0] == "compute-budget.setComputeUnitLimit"
    assert [kind for kind in kinds if not kind.startswith("compute-budget.")] == [
        "system.transfer",
        "spl-token.transferChecked",
        "memo",
        "memo",
    ]
    transfer = next(one for one in told["instructions"] if one["type"] == "system.transfer")
    assert transfer["values"] == {"source": payer, "destination": RECIPIENT, "lamports": 1000}
    assert (transfer["accounts"], transfer["unknown"]) == ([payer, RECIPIENT], None)
    changes = {(one["address"], one["mint"]): one["amount"] for one in told["changes"]}
    lamports = {(payer, None): -told["outflow_lamports"], (RECIPIENT, None): 1000}
    assert changes == {**lamports, (payer, mint): -7, (RECIPIENT, mint): 7}


def test_an_instruction_is_told_by_the_idl_that_built_it(
    api: APIClient, create: Create, signer: dict[str, Any], chain: LocalChain
) -> None:
    program = deploy(chain)
    described = {
        **document(program),
        "instructions": [{"name": "say", "discriminator": [0], "accounts": [], "args": []}],
    }
    idl = create("idls", {"name": "says", "program_id": program, "document": described})
    call = {"type": "call_program", "program_id": program, "idl": idl["id"], "instruction": "say", "accounts": {}}
    raw = {"type": "call_program", "program_id": program, "accounts": [], "data": "AAE=", "encoding": "base64"}
    workflow = create("workflows", {"name": "says", "definition": paying(actions=[call]), "signer": signer["id"]})

    (by_idl,) = (one for one in shown_instructions(api, workflow) if one["program_id"] == program)
    (unknown,) = (
        one for one in shown_instructions(api, workflow, paying(actions=[raw])) if one["program_id"] == program
    )

    assert (by_idl["type"], by_idl["values"], by_idl["data_base64"]) == ("payer.say", {}, "AA==")
    assert (unknown["type"], unknown["unknown"], unknown["data_base64"]) == (None, "another program", "AAE=")


def shown_instructions(api: APIClient, workflow: dict[str, Any], definition: Any = None) -> list[dict[str, Any]]:
    seen = tried(api, workflow, {} if definition is None else {"definition": definition})
    assert seen["transaction"]["status"] == "simulated", seen["error"]
    told: list[dict[str, Any]] = seen["transaction"]["instructions"]
    return told


def test_every_pause_that_would_hold_it_is_named(api: APIClient, create: Create, signer: dict[str, Any]) -> None:
    paid = create("workflows", {"name": "pay", "definition": paying(), "signer": signer["id"]})
    told = create("workflows", {"name": "tell", "definition": {"trigger": {"type": "manual"}}})
    assert tried(api, paid)["paused"] == []

    for path in (f"workflows/{paid['id']}", f"signers/{signer['id']}"):
        assert api.post(f"/api/v1/{path}/pause/", {"reason": "lost laptop"}, format="json").status_code == 200
    api.post("/api/v1/pause/", {}, format="json")

    seen = tried(api, paid)
    assert [one["code"] for one in seen["paused"]] == ["everything_paused", "workflow_paused", "signer_paused"]
    assert seen["paused"][1]["detail"] == "the workflow is paused: lost laptop"
    # What would happen after the lift is told all the same.
    assert seen["status"] == "success"
    # Nothing is signed for it, so only its own pause would hold it.
    assert tried(api, told)["paused"] == []
