from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import base58
import pytest
from rest_framework.test import APIClient
from solders.keypair import Keypair

from executions.models import Delivery
from tests.integration.api.conftest import DISCORD_URL, RECIPIENT, WATCHED, manual
from tests.local_chain import LocalChain
from tests.people import Person
from tests.waiting import wait_for
from workflows.models import Channel

Create = Callable[..., dict[str, Any]]
OTHER_URL = DISCORD_URL.replace("0123", "4567")


def test_a_signer_is_imported_in_both_forms_and_no_answer_holds_the_key(api: APIClient, no_chain: None) -> None:
    for form in (lambda raw: base58.b58encode(raw).decode(), list):
        keypair = Keypair()
        body = {"name": "treasury", "secret_key": form(bytes(keypair)), "max_lamports_per_day": "1.5 SOL"}
        answer = api.post("/api/v1/signers/", body, format="json")
        shown = answer.json()
        assert (answer.status_code, shown["address"]) == (201, str(keypair.pubkey()))
        assert set(shown) == {
            "id",
            "name",
            "address",
            "backend",
            "config",
            "balance_lamports",
            "max_lamports_per_day",
            "paused_at",
            "paused_reason",
            "created_at",
        }
        assert shown["max_lamports_per_day"] == 1_500_000_000
        listed = api.get("/api/v1/signers/").content + api.get(f"/api/v1/signers/{shown['id']}/").content
        for secret in (
            base58.b58encode(bytes(keypair)),
            bytes(keypair).hex().encode(),
            str(list(bytes(keypair))).encode(),
        ):
            assert secret not in answer.content + listed


def test_a_wrong_key_is_refused_and_not_repeated(api: APIClient) -> None:
    secret = base58.b58encode(bytes(Keypair())).decode()
    for wrong in (secret[:-4], [1, 2, 3], [300] * 64, 7, {"a": secret}):
        answer = api.post("/api/v1/signers/", {"name": "x", "secret_key": wrong}, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "secret_key")
        assert secret[:20].encode() not in answer.content


def test_a_signer_whose_key_is_elsewhere_shows_its_config_without_secrets(api: APIClient, no_chain: None) -> None:
    address = str(Keypair().pubkey())
    config = {"api_base_url": "https://vault.example.com", "token": "hvs.first-token", "key_name": "treasury"}
    body = {"name": "treasury", "backend": "vault", "address": address, "config": config}
    answer = api.post("/api/v1/signers/", body, format="json")
    shown = answer.json()
    masked = {**config, "token": "…"}
    assert (answer.status_code, shown["address"], shown["config"]) == (201, address, masked)
    url = f"/api/v1/signers/{shown['id']}/"
    assert api.patch(url, {"config": masked}, format="json").status_code == 200
    refused = api.patch(url, {"config": {**masked, "key_name": "other"}}, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "config.token")
    changed = api.patch(url, {"config": {**config, "token": "hvs.second-token"}}, format="json")
    assert (changed.status_code, changed.json()["config"]) == (200, masked)
    answers = [answer, refused, changed, api.get(url), api.get("/api/v1/signers/"), api.get("/api/v1/audit/")]
    assert not any(b"hvs." in one.content for one in answers)
    assert b"signer_updated" in answers[-1].content


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"backend": "vault", "config": {"token": "hvs.x"}}, "config.api_base_url"),
        ({"backend": "para", "config": {"api_key": "sk_x", "wallet_id": "w"}}, "address"),
        ({"backend": "para", "config": {"api_key": "sk_x", "wallet_id": "w"}, "address": "x"}, "address"),
        ({"backend": "vault", "address": RECIPIENT}, "config"),
        ({"backend": "vault", "secret_key": "hvs.x"}, "secret_key"),
        ({"backend": "crossmint"}, "backend"),
        ({"address": RECIPIENT}, "address"),
        ({"config": {"token": "hvs.x"}}, "config"),
    ],
)
def test_what_does_not_make_a_signer_is_named(api: APIClient, given: dict[str, Any], path: str) -> None:
    answer = api.post("/api/v1/signers/", {"name": "x", **given}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, path)
    assert b"hvs." not in answer.content


def test_a_local_key_has_no_config_to_change(api: APIClient, create: Create, no_chain: None) -> None:
    url = f"/api/v1/signers/{create('signers', {'name': 'x'})['id']}/"
    answer = api.patch(url, {"config": {"token": "hvs.x"}}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "config")


def test_a_known_key_is_409(api: APIClient) -> None:
    body = {"name": "x", "secret_key": base58.b58encode(bytes(Keypair())).decode()}
    assert api.post("/api/v1/signers/", body, format="json").status_code == 201
    assert api.post("/api/v1/signers/", body, format="json").status_code == 409


def test_without_the_chain_a_balance_is_null(api: APIClient, create: Create, no_chain: None) -> None:
    signer = create("signers", {"name": "x"})
    assert signer["balance_lamports"] is None
    assert api.get(f"/api/v1/signers/{signer['id']}/").json()["balance_lamports"] is None


def test_a_signer_shows_what_the_chain_says_it_has(api: APIClient, create: Create, chain: LocalChain) -> None:
    poor, keypair = create("signers", {"name": "poor"}), Keypair()
    address = str(keypair.pubkey())
    chain.airdrop(address, 5_000_000_000)
    wait_for(lambda: chain.balance(address, "confirmed"), 10, "the airdrop is confirmed")
    rich = create("signers", {"name": "rich", "secret_key": list(bytes(keypair))})
    assert (poor["balance_lamports"], rich["balance_lamports"]) == (0, 5_000_000_000)
    listed = api.get("/api/v1/signers/").json()["results"]
    assert [signer["balance_lamports"] for signer in listed] == [5_000_000_000, 0]


def test_a_signers_name_and_limit_are_changed_and_it_is_paused_and_deleted(
    api: APIClient, create: Create, no_chain: None
) -> None:
    url = f"/api/v1/signers/{create('signers', {'name': 'x'})['id']}/"
    changed = api.patch(url, {"name": "y", "max_lamports_per_day": 7}, format="json").json()
    assert (changed["name"], changed["max_lamports_per_day"]) == ("y", 7)
    assert api.patch(url, {"address": RECIPIENT}, format="json").status_code == 400
    assert api.post(f"{url}pause/", {"reason": "known"}, format="json").json()["paused_reason"] == "known"
    assert api.delete(f"{url}pause/").json()["paused_reason"] is None
    assert (api.delete(url).status_code, api.get(url).status_code) == (204, 404)


def test_a_channel_is_shown_masked_and_a_mask_sent_back_changes_nothing(api: APIClient) -> None:
    body = {"name": "ops", "type": "discord", "config": {"webhook_url": DISCORD_URL}}
    answer = api.post("/api/v1/channels/", body, format="json")
    shown = answer.json()
    assert (answer.status_code, shown["config"]) == (201, {"webhook_url": "discord.com/…0123"})
    url = f"/api/v1/channels/{shown['id']}/"
    assert api.patch(url, {"name": "new", "config": shown["config"]}, format="json").json()["name"] == "new"
    changed = api.put(url, {"name": "new", "config": {"webhook_url": OTHER_URL}}, format="json").json()
    assert changed["config"] == {"webhook_url": "discord.com/…4567"}
    answers = [api.get(url), api.get("/api/v1/channels/"), api.get("/api/v1/audit/")]
    assert all(b"abcdefghij" not in answer.content for answer in answers)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "x", "type": "discord"}, "config"),
        ({"name": "x", "type": "discord", "config": {}}, "config.webhook_url"),
        ({"name": "x", "type": "discord", "config": {"webhook_url": "http://10.0.0.1/"}}, "config.webhook_url"),
        ({"name": "x", "type": "pigeon", "config": {}}, "type"),
        ({"name": "x", "type": "slack", "config": {}}, "config.webhook_url"),
        ({"name": "", "type": "discord", "config": {"webhook_url": DISCORD_URL}}, "name"),
        ({"name": "x", "type": "discord", "config": {"webhook_url": DISCORD_URL}, "colour": 1}, "colour"),
    ],
)
def test_a_wrong_channel_is_400_with_its_path(api: APIClient, body: dict[str, Any], path: str) -> None:
    answer = api.post("/api/v1/channels/", body, format="json")
    assert answer.status_code == 400
    assert path in {problem["path"] for problem in answer.json()["errors"]}


def test_a_webhooks_secret_is_made_and_told_in_the_first_answer_only(api: APIClient) -> None:
    body = {"name": "hook", "type": "webhook", "config": {"url": "https://example.com/hook"}}
    answers = [api.post("/api/v1/channels/", body, format="json", headers={"Idempotency-Key": "one"}) for _ in range(2)]
    first, again = (answer.json() for answer in answers)
    secret = first["signing_secret"]
    assert secret.startswith("whsec_") and first["config"]["secret"] == f"whsec_…{secret[-4:]}"
    assert again["id"] == first["id"] and "signing_secret" not in again
    url = f"/api/v1/channels/{first['id']}/"
    changed = api.patch(url, {"config": first["config"]}, format="json")
    assert changed.json()["config"] == first["config"]
    for answer in (answers[1], changed, api.get(url), api.get("/api/v1/channels/"), api.get("/api/v1/audit/")):
        assert secret[6:].encode() not in answer.content


@pytest.mark.parametrize(
    ("kind", "config", "shown"),
    [
        (
            "slack",
            {"webhook_url": "https://hooks.slack.com/services/T0/B0/abcdefgh"},
            {"webhook_url": "hooks.slack.com/…efgh"},
        ),
        (
            "telegram",
            {"bot_token": "123456789:AAabcdefghijklmnopqrstuvwxyz0123456", "chat_id": -100},
            {"bot_token": "api.telegram.org/…3456", "chat_id": "-100"},
        ),
        ("email", {"to": ["ops@example.com"]}, {"to": ["ops@example.com"]}),
    ],
)
def test_every_kind_is_made_and_its_mask_sent_back_changes_nothing(
    api: APIClient, kind: str, config: dict[str, Any], shown: dict[str, Any]
) -> None:
    made = api.post("/api/v1/channels/", {"name": "x", "type": kind, "config": config}, format="json")
    assert (made.status_code, made.json()["config"]) == (201, shown)
    url = f"/api/v1/channels/{made.json()['id']}/"
    before = Channel.objects.get()
    assert api.patch(url, {"config": shown}, format="json").json()["config"] == shown
    assert Channel.objects.get().sealed == before.sealed


def test_a_test_message_is_a_delivery_for_the_worker(bob: Person, create: Create) -> None:
    body = {"name": "ops", "type": "discord", "config": {"webhook_url": DISCORD_URL}}
    channel = create("channels", body)
    answer = bob.client().post(f"/api/v1/channels/{channel['id']}/test/")
    assert answer.status_code == 202
    delivery = Delivery.objects.get(pk=answer.json()["delivery_id"])
    assert (str(delivery.channel_id), delivery.status, delivery.outcome) == (channel["id"], "pending", "test")


def test_address_lists_are_written_whole_and_listed_without_entries(api: APIClient, create: Create) -> None:
    made = create("address-lists", {"name": "friends", "entries": [{"address": WATCHED, "label": "treasury"}]})
    assert made["entries"] == [{"address": WATCHED, "label": "treasury"}]
    (row,) = api.get("/api/v1/address-lists/").json()["results"]
    assert (row["size"], "entries" in row) == (1, False)
    url = f"/api/v1/address-lists/{made['id']}/"
    changed = api.patch(url, {"entries": [{"address": RECIPIENT}, {"address": WATCHED}]}, format="json").json()
    assert (changed["size"], changed["version"], changed["name"]) == (2, 2, "friends")
    assert (api.delete(url).status_code, api.get(url).status_code) == (204, 404)


@pytest.mark.parametrize(
    ("entries", "path"),
    [
        ([{"address": "x"}], "entries[0].address"),
        ([{"address": WATCHED}, {"address": WATCHED}], "entries"),
        ([{"address": WATCHED, "lable": "x"}], "entries[0].lable"),
        ("all", "entries"),
    ],
)
def test_a_wrong_entry_is_400_with_its_path(api: APIClient, entries: Any, path: str) -> None:
    answer = api.post("/api/v1/address-lists/", {"name": "x", "entries": entries}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, path)


def test_idls_are_stored_listed_without_documents_and_refused_when_they_are_none(
    api: APIClient, create: Create
) -> None:
    document = {"address": WATCHED, "metadata": {"name": "amm"}, "instructions": []}
    made = create("idls", {"name": "amm", "document": document})
    assert (made["program_id"], made["document"]) == (WATCHED, document)
    (row,) = api.get("/api/v1/idls/").json()["results"]
    assert (row["name"], "document" in row) == ("amm", False)
    wrong = api.post("/api/v1/idls/", {"name": "x", "document": {"swagger": "2.0"}}, format="json")
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (400, "document.instructions")
    assert api.post("/api/v1/idls/", {"name": "amm", "document": document}, format="json").status_code == 409
    assert api.delete(f"/api/v1/idls/{made['id']}/").status_code == 204


def test_the_audit_log_tells_who_did_what_from_where(alice: Person, carol: Person, create: Create) -> None:
    made = create("workflows", {"name": "x", "definition": manual()})
    entries = carol.client().get("/api/v1/audit/").json()["results"]
    entry = next(entry for entry in entries if entry["action"] == "workflow_created")
    assert (entry["target_type"], entry["target_id"], entry["target_name"]) == ("workflow", made["id"], "x")
    assert (entry["actor"], entry["address"]) == ("token:alice/test", "127.0.0.1")
    assert alice.client().post("/api/v1/audit/", {}, format="json").status_code == 405


def test_everything_is_paused_by_an_operator_and_the_state_is_seen_by_everybody(bob: Person, carol: Person) -> None:
    operator, viewer = bob.client(), carol.client()
    assert viewer.get("/api/v1/pause/").json() == {"paused": False, "paused_at": None, "paused_reason": None}
    assert viewer.post("/api/v1/pause/").status_code == 403
    paused = operator.post("/api/v1/pause/", {"reason": "odd"}, format="json")
    assert (paused.status_code, paused.json()["paused"], paused.json()["may_still_land"]) == (200, True, [])
    assert viewer.get("/api/v1/pause/").json()["paused_reason"] == "odd"
    lifted = operator.delete("/api/v1/pause/")
    assert (lifted.status_code, lifted.json()["paused"]) == (200, False)


def test_what_the_listener_watches_is_listed(api: APIClient) -> None:
    for resource in ("subscriptions", "gaps", "rpc-endpoints"):
        page = api.get(f"/api/v1/{resource}/")
        assert (page.status_code, json.loads(page.content)["results"]) == (200, [])


def test_a_channel_is_switched_off_and_on_by_an_operator_and_says_so(
    bob: Person, carol: Person, create: Create
) -> None:
    config = {"webhook_url": DISCORD_URL}
    channel = create("channels", {"name": "ops", "type": "discord", "config": config})
    assert (channel["failing_since"], channel["failures_in_row"], channel["disabled_at"]) == (None, 0, None)
    url = f"/api/v1/channels/{channel['id']}/"
    assert carol.client().post(f"{url}disable/").status_code == 403
    off = bob.client().post(f"{url}disable/", {"reason": "too loud"}, format="json").json()
    assert off["disabled_at"] and off["disabled_reason"] == "too loud"
    on = bob.client().post(f"{url}enable/").json()
    assert (on["disabled_at"], on["disabled_reason"]) == (None, "")


@pytest.mark.parametrize("kind", ["discord", "telegram"])
def test_a_notification_is_shown_as_it_would_read_in_its_channel(api: APIClient, create: Create, kind: str) -> None:
    config = {
        "discord": {"webhook_url": DISCORD_URL},
        "telegram": {"bot_token": "123456789:AAabcdefghijklmnopqrstuvwxyz0123456", "chat_id": "5"},
    }[kind]
    channel = create("channels", {"name": "ops", "type": kind, "config": config})
    workflow = create("workflows", {"name": "watch", "definition": manual()})
    url = f"/api/v1/channels/{channel['id']}/preview/"
    texts = {"title": "Slot {{ event.slot + 1 }}", "template": "minimal"}
    shown = api.post(url, {"notification": texts, "outcome": "failed"}, format="json").json()
    assert (shown["title"], shown["source"]) == ("Slot 250000001", "sample")
    assert shown["payload"] and "event.lamports_delta" in {field["path"] for field in shown["fields"]}
    about = api.post(url, {"workflow": workflow["id"]}, format="json").json()
    assert about["title"] == "watch succeeded" and about["event"]["type"] == "manual"
    wrong = api.post(url, {"notification": {"message": "{{ event. }}", "template": "loud"}}, format="json")
    assert wrong.status_code == 400
    assert {problem["path"] for problem in wrong.json()["errors"]} == {"message", "template"}
    assert Delivery.objects.count() == 0


def test_another_signing_secret_is_told_once_and_leaves_the_url(api: APIClient, create: Create) -> None:
    hook = create("channels", {"name": "x", "type": "webhook", "config": {"url": "https://example.com/hook"}})
    url = f"/api/v1/channels/{hook['id']}/signing-secret/"
    other = api.post(url).json()
    assert other["signing_secret"].startswith("whsec_") and other["signing_secret"] != hook["signing_secret"]
    assert other["config"] == {"url": "example.com/…hook", "secret": f"whsec_…{other['signing_secret'][-4:]}"}
    discord = create("channels", {"name": "y", "type": "discord", "config": {"webhook_url": DISCORD_URL}})
    refused = api.post(f"/api/v1/channels/{discord['id']}/signing-secret/")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_a_webhook")
