"""Export and import through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Installation
from tests.integration.api.conftest import DISCORD_URL, RECIPIENT, manual, paying
from tests.people import Person
from workflows.models import Workflow

EXPORT, IMPORT = "/api/v1/workflows/export/", "/api/v1/workflows/import/"
Create = Callable[..., dict[str, Any]]


@pytest.fixture
def ours(create: Create) -> dict[str, Any]:
    """A workflow that names a channel and a list."""
    channel = create("channels", {"name": "ops", "type": "discord", "config": {"webhook_url": DISCORD_URL}})
    vips = create("address-lists", {"name": "vips", "entries": [{"address": RECIPIENT, "label": "Bob"}]})
    definition = paying(
        filter={"field": "event.address", "op": "in_list", "value": vips["id"]},
        notifications=[{"channel": channel["id"], "on": ["success"]}],
    )
    return create("workflows", {"name": "pay", "definition": definition, "max_lamports_per_day": 5_000_000})


def test_an_export_goes_back_in_and_gives_new_workflows_that_are_not_enabled(
    ours: dict[str, Any], api: APIClient
) -> None:
    document = api.get(EXPORT).json()
    answer = api.post(IMPORT, document, format="json")
    assert answer.status_code == 201, answer.content
    (made,) = answer.json()["workflows"]
    same = ("definition", "max_lamports_per_day", "signer", "draft", "pause_after_failures")
    assert {key: made[key] for key in same} == {key: ours[key] for key in same}
    assert (made["name"], made["enabled"], made["version"]) == ("pay (2)", False, 1)
    assert made["id"] != ours["id"]


def test_an_export_of_one_holds_that_one(ours: dict[str, Any], create: Create, api: APIClient) -> None:
    other = create("workflows", {"name": "other", "definition": manual()})
    document = api.get(EXPORT, {"workflow": other["id"]}).json()
    assert [entry["name"] for entry in document["workflows"]] == ["other"]
    assert document["channels"] == []


@pytest.mark.parametrize("text", ["nothing", "00000000-0000-4000-8000-000000000000", ""])
def test_an_export_of_what_is_not_there_is_400(text: str, api: APIClient) -> None:
    answer = api.get(EXPORT, {"workflow": text})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "workflow")


def test_a_workflow_of_another_team_is_not_there(ours: dict[str, Any], charlie: Person) -> None:
    client = charlie.client()
    assert client.get(EXPORT).json()["workflows"] == []
    assert client.get(EXPORT, {"workflow": ours["id"]}).status_code == 400


def test_another_team_gets_what_it_can_be_given_and_is_told_what_it_has_to_make(
    ours: dict[str, Any], api: APIClient, charlie: Person
) -> None:
    document, client = api.get(EXPORT).json(), charlie.client()
    refused = client.post(IMPORT, document, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "channels[0]")

    client.post(
        "/api/v1/channels/",
        {"name": "ops", "type": "discord", "config": {"webhook_url": DISCORD_URL}},
        format="json",
    )
    made = client.post(IMPORT, document, format="json").json()

    assert [row["name"] for row in made["address_lists"]] == ["vips"]
    assert made["workflows"][0]["definition"]["filter"]["value"] == made["address_lists"][0]["id"]


def test_those_who_look_export_and_only_admins_import(
    ours: dict[str, Any], api: APIClient, bob: Person, carol: Person, alice: Person
) -> None:
    document = api.get(EXPORT).json()
    for client in (bob.client(), carol.client(), alice.client("read")):
        assert client.get(EXPORT).status_code == 200
        assert client.post(IMPORT, document, format="json").status_code == 403
    assert alice.client("write").get(EXPORT).status_code == 403
    assert APIClient().get(EXPORT).status_code == APIClient().post(IMPORT, document, format="json").status_code == 401
    assert Workflow.objects.count() == 1


def test_a_repeated_import_with_one_key_is_one_import(ours: dict[str, Any], api: APIClient) -> None:
    document = api.get(EXPORT).json()
    first, second = (api.post(IMPORT, document, format="json", HTTP_IDEMPOTENCY_KEY="k") for _ in range(2))
    assert first.json() == second.json() and second["Idempotency-Replayed"] == "true"
    assert Workflow.objects.count() == 2


def test_a_wrong_export_is_told_with_every_path_and_makes_nothing(ours: dict[str, Any], api: APIClient) -> None:
    document = api.get(EXPORT).json()
    right = document["workflows"][0]
    for wrong in ({**right, "lamprots": 1}, {**right, "signer": 7}):
        document["workflows"].append(wrong)
    answer = api.post(IMPORT, document, format="json")
    assert (answer.status_code, answer.json()["type"]) == (400, "validation_error")
    assert [problem["path"] for problem in answer.json()["errors"]] == ["workflows[1].lamprots", "workflows[2].signer"]
    assert Workflow.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"solflow": 2, "workflows": []}, {"solflow": 1}, [], {"name": "pay"}])
def test_what_is_no_export_is_400(body: Any, api: APIClient) -> None:
    assert api.post(IMPORT, body, format="json").status_code == 400


def test_an_import_of_nothing_makes_nothing(api: APIClient) -> None:
    answer = api.post(IMPORT, {"solflow": 1, "workflows": []}, format="json")
    assert (answer.status_code, answer.json()) == (
        201,
        {"workflows": [], "address_lists": [], "idls": [], "warnings": []},
    )


def test_an_export_of_another_network_is_refused_until_it_is_meant(ours: dict[str, Any], api: APIClient) -> None:
    document = {**api.get(EXPORT).json(), "network": "mainnet-beta"}
    refused = api.post(IMPORT, document, format="json")
    (problem,) = refused.json()["errors"]
    assert (refused.status_code, problem["path"], problem["code"]) == (400, "network", "other_network")
    assert "mainnet-beta" in problem["detail"] and "localnet" in problem["detail"]
    assert Workflow.objects.count() == 1
    taken = api.post(f"{IMPORT}?from_other_network=true", document, format="json")
    assert taken.status_code == 201 and "mainnet-beta" in taken.json()["warnings"][0]


def test_an_export_of_another_chain_of_that_name_is_taken_with_a_warning(ours: dict[str, Any], api: APIClient) -> None:
    Installation.objects.update(genesis_hash="1" * 44)
    document = api.get(EXPORT).json()
    assert document["genesis_hash"] == "1" * 44
    assert api.post(IMPORT, document, format="json").json()["warnings"] == []
    (warning,) = api.post(IMPORT, {**document, "genesis_hash": "2" * 44}, format="json").json()["warnings"]
    assert "another chain" in warning
    for unknown in ({"network": None, "genesis_hash": None}, {"genesis_hash": None}):
        assert api.post(IMPORT, {**document, **unknown}, format="json").json()["warnings"] == []
