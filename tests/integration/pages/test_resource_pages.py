"""Signers, channels, the audit log, signing in, the overview."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import base58
import pytest
from django.test import Client
from django.utils import timezone
from solders.keypair import Keypair

from accounts.actors import system
from accounts.models import AuditEntry
from accounts.sealing import unseal
from accounts.services import default_team
from executions.models import Delivery, Execution, Heartbeat
from listener.models import Gap, Subscription
from tests.integration.pages.conftest import DISCORD_URL, browser, ended, landed, parked, text_of
from tests.local_chain import LocalChain
from tests.people import Person
from workflows.models import Channel, Signer, Workflow
from workflows.services import signer_create

PASSWORD = "correct horse battery staple"


def test_the_signers_page_shows_balance_spending_and_use(
    workflow: Workflow, signer: Signer, channel: Channel, chain: LocalChain, pages: Client
) -> None:
    landed(workflow, channel)
    chain.wait_for_status(chain.airdrop(signer.address, 2_500_000_000))
    shown = text_of(pages.get("/signers/"))
    assert "2.5" in shown and "0.000905" in shown and "/ 0.01 SOL" in shown


def test_a_balance_that_nobody_answers_for_is_unknown_and_the_page_is_there(signer: Signer, pages: Client) -> None:
    assert "unknown" in text_of(pages.get("/signers/"))


def test_a_generated_signer_says_where_to_send_money(pages: Client) -> None:
    response = pages.post("/signers/new/", {"name": "fresh", "max_lamports_per_day": "0.5 SOL"}, follow=True)
    signer = Signer.objects.get()
    assert signer.max_lamports_per_day == 500_000_000
    assert f"It pays from {signer.address}" in text_of(response)


def test_an_imported_key_never_comes_back_not_even_beside_an_error(pages: Client) -> None:
    keypair = Keypair()
    secret = base58.b58encode(bytes(keypair)).decode()
    wrong = pages.post("/signers/new/", {"name": "imported", "secret_key": secret[:-1] + "0"})
    assert wrong.status_code == 422 and secret[:16] not in text_of(wrong)
    made = pages.post("/signers/new/", {"name": "imported", "secret_key": secret}, follow=True)
    assert secret[:16] not in text_of(made)
    assert unseal("signer", Signer.objects.get().id, Signer.objects.get().sealed) == bytes(keypair)
    again = pages.post("/signers/new/", {"name": "twice", "secret_key": secret})
    assert again.status_code == 422 and "is a signer already" in text_of(again)


def test_a_signer_whose_key_is_elsewhere_says_where_and_shows_no_secret(pages: Client) -> None:
    config = {"api_base_url": "https://vault.example.com", "token": "hvs.a-token", "key_name": "treasury-key"}
    actor = system(default_team(), "test")
    address = str(Keypair().pubkey())
    signer = signer_create(actor=actor, name="vaulted", backend="vault", address=address, config=config)

    listed, shown = (text_of(pages.get(url)) for url in ("/signers/", f"/signers/{signer.id}/"))

    assert "key kept by Vault" in listed and "kept by Vault" in shown
    assert "treasury-key" in shown and "https://vault.example.com" in shown
    assert "hvs." not in listed + shown


def test_a_signer_is_paused_and_resumed(signer: Signer, bob: Person) -> None:
    client = browser(bob)
    client.post(f"/signers/{signer.id}/pause/", {"reason": "lost laptop"})
    signer.refresh_from_db()
    assert signer.paused_reason == "lost laptop" and "Paused" in text_of(client.get("/signers/"))
    client.post(f"/signers/{signer.id}/resume/")
    signer.refresh_from_db()
    assert signer.paused_at is None


def test_a_channel_is_shown_masked_with_its_newest_message(workflow: Workflow, channel: Channel, pages: Client) -> None:
    landed(workflow, channel, delivery="dead")
    landed(workflow, channel)
    shown = text_of(pages.get("/channels/"))
    assert "discord.com/…0123" in shown and "abcdefgh" not in shown
    assert "Delivered" in shown and "404 from the webhook" not in shown
    assert pages.get("/channels/").context["usage"] == {channel.id: 1}


def test_a_channel_is_made_by_the_form_or_said_to_be_wrong_beside_its_field(pages: Client) -> None:
    values = {"name": "ops", "type": "discord", "webhook_url": "https://example.org/x"}
    wrong = pages.post("/channels/new/", values)
    assert wrong.status_code == 422
    assert "must be a Discord webhook" in wrong.context["form"].errors["webhook_url"][0]
    made = pages.post("/channels/new/", values | {"webhook_url": DISCORD_URL})
    assert made.url == f"/channels/{Channel.objects.get().pk}/"
    assert Channel.objects.get().shown == {"webhook_url": "discord.com/…0123"}


@pytest.mark.parametrize("kind", ["slack", "telegram", "email"])
def test_every_kind_of_channel_has_a_form(pages: Client, kind: str) -> None:
    values = {
        "slack": {"webhook_url": "https://hooks.slack.com/services/T0/B0/abcdefgh"},
        "telegram": {"bot_token": "123456789:AAabcdefghijklmnopqrstuvwxyz0123456", "chat_id": "-100"},
        "email": {"to": "ops@example.com, night@example.com"},
    }[kind]
    empty = pages.post("/channels/new/", {"name": "ops", "type": kind})
    assert empty.status_code == 422 and set(empty.context["form"].errors) == set(values)
    assert pages.post("/channels/new/", {"name": "ops", "type": kind, **values}).status_code == 302
    assert Channel.objects.get().type == kind


def test_a_webhooks_secret_is_on_the_page_that_answers_and_on_no_other(pages: Client) -> None:
    made = pages.post("/channels/new/", {"name": "hook", "type": "webhook", "url": "https://example.com/hook"})
    secret = made.context["channel"].made_secret
    assert secret in text_of(made) and made["Cache-Control"].startswith("max-age=0")
    assert secret not in text_of(pages.get("/channels/"))


def test_a_test_message_is_a_delivery_of_its_own(channel: Channel, bob: Person) -> None:
    response = browser(bob).post(f"/channels/{channel.id}/test/", follow=True)
    assert Delivery.objects.get().outcome == "test"
    assert "on its way" in text_of(response).lower()


def test_the_inbox_shows_what_webhooks_received(pages: Client) -> None:
    message = {"username": "SolFlow", "embeds": [{"title": "Paid rent", "description": "**0.5** SOL"}]}
    sent = pages.post("/inbox/api/webhooks/1/token", message, content_type="application/json")
    assert sent.status_code == 204
    shown = text_of(pages.get("/inbox/"))
    assert "Paid rent" in shown and "<strong>0.5</strong> SOL" in shown


def test_the_audit_page_names_who_did_what_and_is_narrowed(workflow: Workflow, signer: Signer, pages: Client) -> None:
    def actions(**query: str) -> set[str]:
        return {entry.action for entry in pages.get("/audit/", query).context["entries"]}

    assert {"signer_created", "channel_created", "workflow_created", "workflow_enabled"} <= actions()
    assert actions(action="signer_created") == {"signer_created"}
    assert actions(q="treas") == {"signer_created"}
    assert actions(q=str(workflow.id)) == {"workflow_created", "workflow_enabled"}
    assert actions(actor="nobody") == set()
    assert "user:alice" in pages.get("/audit/").context["actors"]


def test_the_audit_page_goes_on_by_cursor(
    make: Callable[..., Workflow], pages: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.views.PAGE_SIZE", 4)
    for number in range(3):
        make(f"Workflow {number}")
    seen, cursor = [], None
    while True:
        context = pages.get("/audit/", {"before": cursor} if cursor else {}).context
        seen += [entry.id for entry in context["entries"]]
        cursor = context["next_cursor"]
        if cursor is None:
            break
    assert seen == list(AuditEntry.objects.order_by("-id").values_list("id", flat=True))


def test_signing_in_and_out_is_audited_and_leads_to_the_page_that_was_asked_for(alice: Person, client: Client) -> None:
    asked = client.get("/executions/?status=failed")
    response = client.post(asked.url, {"username": "alice", "password": PASSWORD, "next": "/executions/?status=failed"})
    assert response.url == "/executions/?status=failed"
    client.post("/logout/")
    assert client.get("/").status_code == 302
    entries = AuditEntry.objects.filter(target_type="user").order_by("id").values_list("actor", "action", "target_name")
    assert list(entries) == [("user:alice", "login", "alice"), ("user:alice", "logout", "alice")]


def test_a_refused_sign_in_is_audited_as_a_strangers(alice: Person, client: Client) -> None:
    for name in ("alice", "nobody"):
        assert "That did not work" in text_of(client.post("/login/", {"username": name, "password": "wrong"}))
    entries = AuditEntry.objects.filter(action="login_failed").values_list("actor", "target_name", "team")
    assert set(entries) == {("stranger", name, alice.actor.team.pk) for name in ("alice", "nobody")}


def test_the_way_back_after_signing_in_stays_on_this_site(alice: Person, client: Client) -> None:
    values = {"username": "alice", "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post("/login/", values).url == "/"


def test_somebody_without_a_team_may_sign_in_and_sees_nothing(client: Client, django_user_model: Any, db: None) -> None:
    client.force_login(django_user_model.objects.create_user("dora", password=PASSWORD))
    assert client.get("/").status_code == 403


def test_the_overview_adds_up_what_happened(workflow: Workflow, channel: Channel, pages: Client) -> None:
    landed(workflow, channel)
    ended(workflow, "failed", error_code="x", error_detail="no such account")
    old = ended(workflow, "filtered")
    Execution.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    context = pages.get("/").context
    assert sum(context["stats"]["executions_24h"].values()) == 2
    assert context["stats"]["lamports_spent_24h"] == 905_000
    assert len(context["activity"]) == 48
    totals = {name: sum(bucket[name] for bucket in context["activity"]) for name in ("success", "failed", "other")}
    assert totals == {"success": 1, "failed": 1, "other": 0}
    assert [execution.workflow.name for execution in context["executions"]] == ["Pay rent"] * 3


def test_the_overview_names_everything_that_waits_for_a_person(
    make: Callable[..., Workflow], signer: Signer, channel: Channel, bob: Person
) -> None:
    workflow, other = make("Parked one"), make("Paused one")
    landed(workflow, channel, delivery="dead")
    parked = ended(workflow, "processing", waiting_for="person")
    client = browser(bob)
    client.post(f"/workflows/{other.id}/pause/")
    client.post(f"/signers/{signer.id}/pause/")
    Channel.objects.update(disabled_at=timezone.now(), disabled_reason="gone")
    subscription = Subscription.objects.create(
        digest="d", kind="logs", address="x", commitment="confirmed", genesis_hash="g"
    )
    Gap.objects.create(subscription=subscription, status="lost", from_slot=1, to_slot=2, reason="restart")
    items = client.get("/").context["attention"]
    assert [(item.word, item.title) for item in items] == [
        ("Missed", "1 stretch of slots could not be read back"),
        ("Needs a decision", "Parked one"),
        ("Not seen", "No listener was seen in the last 30 s"),
        ("Not seen", "No worker was seen in the last 30 s"),
        ("Paused", "Paused one"),
        ("Paused", "treasury"),
        ("Disabled", "ops"),
        ("Not delivered", "Message to ops"),
    ]
    assert items[1].url == f"/executions/{parked.execution_id}/"


def test_the_overview_is_content_when_everything_is_well(workflow: Workflow, pages: Client) -> None:
    for kind in ("worker", "listener"):
        Heartbeat.objects.create(name=kind, kind=kind, at=timezone.now(), detail={"slot": 42})
    assert "All is well" in text_of(pages.get("/"))


def test_the_page_of_a_signer_shows_what_it_has_paid_for_whom_and_where_to_look(
    workflow: Workflow, channel: Channel, signer: Signer, pages: Client, chain: LocalChain
) -> None:
    chain.wait_for_status(chain.airdrop(signer.address, 2_000_000_000))
    paid, waiting = landed(workflow, channel), parked(workflow)
    shown = pages.get(f"/signers/{signer.id}/")
    assert [one.execution for one in shown.context["payments"]] == [waiting, paid]
    assert shown.context["signer"].spent_24h == 905_000 and shown.context["balance"] == 2_000_000_000
    text = text_of(shown)
    assert workflow.name in text and "0.000905" in text and "reserved" in text and "0.01 SOL" in text
    assert f"explorer.solana.com/address/{signer.address}" in text


def test_the_page_of_a_signer_without_the_chain_or_a_payment_is_there(signer: Signer, pages: Client) -> None:
    text = text_of(pages.get(f"/signers/{signer.id}/"))
    assert "unknown" in text and "It has paid nothing yet." in text and "No workflow pays with it." in text
