from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.integration.api.conftest import RECIPIENT, WATCHED, manual, paying
from tests.local_chain import LocalChain
from tests.people import Person
from workflows.specs import served

Create = Callable[..., dict[str, Any]]
URL = "/api/v1/workflows/"


def test_a_created_workflow_is_shown_with_every_field_of_the_contract(api: APIClient) -> None:
    answer = api.post(URL, {"name": "pay", "definition": paying()}, format="json")
    shown = answer.json()
    assert answer.status_code == 201
    assert shown["definition"]["actions"] == [{"type": "transfer_sol", "to": RECIPIENT, "lamports": 1000}]
    assert {name: shown[name] for name in ("version", "enabled", "signer", "commitment", "dry_run", "ordered")} == {
        "version": 1,
        "enabled": False,
        "signer": None,
        "commitment": "confirmed",
        "dry_run": False,
        "ordered": False,
    }
    limits = {
        "max_lamports_per_tx": 1_000_000,
        "max_lamports_per_day": None,
        "max_tokens_per_tx": {},
        "max_tokens_per_day": {},
        "max_executions_per_hour": 10,
        "allowed_recipients": None,
        "allowed_programs": None,
        "approval_above_lamports": None,
        "approval_expires_s": 3600,
        "approvers": 1,
        "pause_after_failures": 5,
        "max_event_age_s": None,
    }
    assert {name: shown[name] for name in limits} == limits
    assert (shown["paused_reason"], shown["description"]) == (None, "")
    assert uuid.UUID(shown["id"])
    assert shown["created_at"].endswith("Z")
    assert api.get(f"{URL}{shown['id']}/").json() == shown


def test_a_wrong_definition_is_refused_with_the_paths_of_the_request(api: APIClient) -> None:
    definition = paying(actions=[{"type": "transfer_sol", "to": RECIPIENT, "lamprots": 1000}])
    answer = api.post(URL, {"name": "pay", "definition": definition, "max_lamport_per_tx": 5}, format="json")
    body = answer.json()
    assert (answer.status_code, body["type"], body["code"]) == (400, "validation_error", "invalid")
    found = {problem["path"]: problem["code"] for problem in body["errors"]}
    assert found["definition.actions[0].lamprots"] == "unknown_key"
    assert found["max_lamport_per_tx"] == "unknown_key"


def test_the_list_is_newest_first_and_only_the_teams(api: APIClient, create: Create, charlie: Person) -> None:
    names = [create("workflows", {"name": name, "definition": manual()})["name"] for name in ("a", "b", "c")]
    charlie.client().post(URL, {"name": "theirs", "definition": manual()}, format="json")
    page = api.get(URL).json()
    assert [workflow["name"] for workflow in page["results"]] == names[::-1]
    assert (page["next"], page["previous"]) == (None, None)


def test_another_teams_workflow_is_404_for_every_call(create: Create, charlie: Person) -> None:
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': manual()})['id']}/"
    stranger = charlie.client()
    answers = [
        stranger.get(url),
        stranger.patch(url, {"name": "y"}, format="json"),
        stranger.put(url, {"name": "y", "definition": manual()}, format="json"),
        stranger.delete(url),
        stranger.get(f"{url}versions/"),
        *(
            stranger.post(f"{url}{call}/", {}, format="json")
            for call in ("enable", "disable", "publish", "run", "pause")
        ),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert {answer.json()["code"] for answer in answers} == {"not_found"}


def test_patch_changes_what_it_names_and_makes_a_version_of_a_new_definition(api: APIClient, create: Create) -> None:
    made = create("workflows", {"name": "pay", "definition": paying(), "max_lamports_per_day": "0.5 SOL"})
    url = f"{URL}{made['id']}/"
    changed = api.patch(url, {"definition": manual(), "description": "by hand"}, format="json").json()
    assert (changed["version"], changed["description"]) == (2, "by hand")
    assert (changed["name"], changed["max_lamports_per_day"]) == ("pay", 500_000_000)
    versions = api.get(f"{url}versions/").json()["results"]
    assert [version["version"] for version in versions] == [2, 1]
    assert versions[1]["definition"]["trigger"]["address"] == WATCHED


def test_put_resets_what_it_leaves_out(api: APIClient, create: Create) -> None:
    made = create("workflows", {"name": "pay", "definition": paying(), "description": "x", "dry_run": True})
    answer = api.put(f"{URL}{made['id']}/", {"name": "new", "definition": paying()}, format="json")
    assert (answer.status_code, answer.json()["dry_run"], answer.json()["description"]) == (200, False, "")
    assert answer.json()["version"] == 1


def test_what_was_read_can_be_put_back(api: APIClient, create: Create) -> None:
    made = create(
        "workflows", {"name": "pay", "definition": paying(), "ordered": True, "max_tokens_per_tx": {WATCHED: 5}}
    )
    answer = api.put(f"{URL}{made['id']}/", made, format="json")
    assert answer.status_code == 200
    assert {**answer.json(), "updated_at": None} == {**made, "updated_at": None}


def test_put_without_a_definition_is_refused(api: APIClient, create: Create) -> None:
    made = create("workflows", {"name": "pay", "definition": paying()})
    answer = api.put(f"{URL}{made['id']}/", {"name": "pay"}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "definition")


def test_enabled_is_switched_by_its_own_calls_only(api: APIClient, create: Create) -> None:
    made = create("workflows", {"name": "x", "definition": manual(), "enabled": False})
    answer = api.patch(f"{URL}{made['id']}/", {"enabled": True}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "enabled")
    assert "enable/" in answer.json()["detail"]


def test_a_body_that_is_no_object_is_refused(api: APIClient) -> None:
    for body in ("[]", '"text"', "7", "null"):
        answer = api.post(URL, body, content_type="application/json")
        assert answer.status_code == 400, body


def test_delete_hides_the_workflow_and_is_not_repeatable(api: APIClient, create: Create) -> None:
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': manual()})['id']}/"
    assert api.delete(url).status_code == 204
    assert (api.get(url).status_code, api.delete(url).status_code) == (404, 404)
    assert api.get(URL).json()["results"] == []


def test_a_manual_workflow_is_enabled_and_disabled(api: APIClient, create: Create) -> None:
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': manual()})['id']}/"
    enabled = api.post(f"{url}enable/")
    assert (enabled.status_code, enabled.json()["enabled"]) == (200, True)
    assert api.get(url).json()["enabled"] is True
    disabled = api.post(f"{url}disable/")
    assert (disabled.status_code, disabled.json()["enabled"]) == (200, False)
    assert api.get(url).status_code == 200


def test_enabling_with_actions_and_no_signer_is_409(api: APIClient, create: Create) -> None:
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': paying()})['id']}/"
    answer = api.post(f"{url}enable/")
    assert (answer.status_code, answer.json()["code"]) == (409, "signer_missing")


def test_enabling_an_unserved_trigger_is_400_with_its_path(
    api: APIClient, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "SERVED_TRIGGERS", frozenset())
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': manual()})['id']}/"
    answer = api.post(f"{url}enable/")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "definition.trigger.type")


def test_enabling_without_an_endpoint_is_503_and_changes_nothing(
    api: APIClient, create: Create, no_chain: None
) -> None:
    signer = create("signers", {"name": "s"})
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': paying(), 'signer': signer['id']})['id']}/"
    answer = api.post(f"{url}enable/")
    assert (answer.status_code, answer.json()["type"], answer.json()["code"]) == (503, "server_error", "unavailable")
    assert api.get(url).json()["enabled"] is False


@pytest.mark.django_db(transaction=True)
def test_enabling_reads_the_account_first(api: APIClient, create: Create, chain: LocalChain) -> None:
    signer = create("signers", {"name": "s"})
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': paying(), 'signer': signer['id']})['id']}/"
    answer = api.post(f"{url}enable/")
    assert (answer.status_code, answer.json()["enabled"]) == (200, True)


@pytest.mark.django_db(transaction=True)
def test_a_wrong_commitment_for_an_enabled_workflow_is_told_as_such(
    api: APIClient, create: Create, chain: LocalChain
) -> None:
    signer = create("signers", {"name": "s"})
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': paying(), 'signer': signer['id']})['id']}/"
    api.post(f"{url}enable/")
    for wrong in ("sure", {"a": 1}, 7):
        answer = api.patch(f"{url}", {"commitment": wrong}, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "commitment")


def test_a_draft_is_kept_and_published(api: APIClient, create: Create) -> None:
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': paying()})['id']}/"
    assert api.post(f"{url}publish/").json()["code"] == "no_draft"
    assert api.patch(url, {"draft": manual()}, format="json").json()["version"] == 1
    published = api.post(f"{url}publish/")
    assert (published.status_code, published.json()["version"], published.json()["draft"]) == (200, 2, None)
    assert published.json()["definition"]["trigger"] == {"type": "manual"}


def test_pause_and_its_lifting(bob: Person, create: Create) -> None:
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': manual()})['id']}/pause/"
    operator = bob.client()
    paused = operator.post(url, {"reason": "odd"}, format="json")
    assert (paused.status_code, paused.json()["paused_reason"]) == (200, "odd")
    assert operator.post(url).status_code == 200
    lifted = operator.delete(url)
    assert (lifted.status_code, lifted.json()["paused_reason"], lifted.json()["paused_at"]) == (200, None, None)


def test_roles_and_scopes_decide_who_may_what(alice: Person, bob: Person, carol: Person, create: Create) -> None:
    url = f"{URL}{create('workflows', {'name': 'x', 'definition': manual()})['id']}/"
    carols, bobs, reading = carol.client(), bob.client(), alice.client("read")
    assert [client.get(url).status_code for client in (carols, bobs, reading)] == [200, 200, 200]
    assert [client.delete(url).status_code for client in (carols, bobs, reading)] == [403, 403, 403]
    assert carols.post(f"{url}pause/").status_code == 403
    refused = reading.post(f"{url}run/", {}, format="json")
    assert (refused.status_code, refused.json()["type"]) == (403, "client_error")


def test_integers_come_as_strings_when_asked_for(api: APIClient, create: Create) -> None:
    made = create("workflows", {"name": "x", "definition": paying()})
    shown = api.get(f"{URL}{made['id']}/?integers=string").json()
    assert (shown["max_lamports_per_tx"], shown["version"]) == ("1000000", "1")
    assert shown["definition"]["actions"][0]["lamports"] == "1000"
    assert shown["enabled"] is False


def test_a_duplicate_wants_the_same_and_is_not_enabled(api: APIClient, create: Create) -> None:
    ours = create("workflows", {"name": "pay", "definition": manual(), "max_executions_per_hour": 3})
    assert api.post(f"/api/v1/workflows/{ours['id']}/enable/").status_code == 200
    url = f"/api/v1/workflows/{ours['id']}/duplicate/"
    first = api.post(url, HTTP_IDEMPOTENCY_KEY="once")
    assert first.status_code == 201
    made = first.json()
    same = ("definition", "max_executions_per_hour", "signer", "draft")
    assert {key: made[key] for key in same} == {key: ours[key] for key in same}
    assert (made["name"], made["enabled"], made["version"]) == ("pay (2)", False, 1)
    again = api.post(url, HTTP_IDEMPOTENCY_KEY="once")
    assert (again.json()["id"], again["Idempotency-Replayed"]) == (made["id"], "true")
    assert api.post(url).json()["name"] == "pay (3)"


def test_a_workflow_that_names_what_was_deleted_is_not_duplicated(api: APIClient, create: Create) -> None:
    vips = create("address-lists", {"name": "vips", "entries": []})
    named = {**manual(), "filter": {"field": "event.account", "op": "in_list", "value": vips["id"]}}
    ours = create("workflows", {"name": "pay", "definition": named})
    assert api.delete(f"/api/v1/address-lists/{vips['id']}/").status_code == 204
    refused = api.post(f"/api/v1/workflows/{ours['id']}/duplicate/")
    assert refused.status_code == 400 and refused.json()["errors"][0]["path"] == "definition.filter.value"
