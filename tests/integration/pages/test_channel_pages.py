"""The page of a channel: how it is, for whom it is, and changing it."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from tests.integration.pages.conftest import DISCORD_URL, browser, landed, text_of
from tests.people import Person
from workflows.models import Channel, Workflow
from workflows.services import channel_create


def test_it_shows_its_mask_its_workflows_and_its_newest_messages(
    workflow: Workflow, channel: Channel, pages: Client
) -> None:
    landed(workflow, channel, delivery="dead")
    shown = text_of(pages.get(f"/channels/{channel.id}/"))
    for text in ("discord.com/…0123", workflow.name, "404 from the webhook", "1 not delivered", "Ready"):
        assert text in shown
    assert "abcdefgh" not in shown


def test_a_test_message_leads_to_the_page_that_follows_it(channel: Channel, bob: Person) -> None:
    page = browser(bob).post(f"/channels/{channel.id}/test/", follow=True)
    assert f'data-live="channel:{channel.id} standing"' in text_of(page)


def test_its_name_is_changed_and_the_secret_that_is_left_empty_stays(channel: Channel, pages: Client) -> None:
    url, sealed = f"/channels/{channel.id}/edit/", bytes(channel.sealed)
    form = text_of(pages.get(url))
    assert "discord.com/…0123" in form and "abcdefgh" not in form
    assert pages.post(url, {"name": "night", "username": "Solly"}).url == f"/channels/{channel.id}/"
    channel.refresh_from_db()
    assert (channel.name, channel.shown["username"], bytes(channel.sealed)) == ("night", "Solly", sealed)
    wrong = pages.post(url, {"name": "night", "webhook_url": "https://evil.example/"})
    assert wrong.status_code == 422 and "webhook_url" in wrong.context["form"].errors
    assert pages.post(url, {"name": "night", "webhook_url": DISCORD_URL}).status_code == 302
    channel.refresh_from_db()
    assert bytes(channel.sealed) != sealed and "username" not in channel.shown


def test_it_is_switched_off_with_a_reason_and_on_again(channel: Channel, bob: Person) -> None:
    client = browser(bob)
    off = client.post(f"/channels/{channel.id}/disable/", {"reason": "too loud"}, follow=True)
    assert "Nothing is sent here" in text_of(off) and "too loud" in text_of(off)
    on = client.post(f"/channels/{channel.id}/enable/", follow=True)
    assert "Nothing is sent here" not in text_of(on)
    channel.refresh_from_db()
    assert (channel.disabled_at, channel.disabled_reason) == (None, "")


def test_it_is_deleted_unless_an_enabled_workflow_names_it(
    make: Callable[..., Workflow], channel: Channel, pages: Client, alice: Person
) -> None:
    workflow = make("watch")
    Workflow.objects.filter(pk=workflow.pk).update(enabled=True)
    refused = pages.post(f"/channels/{channel.id}/delete/", follow=True)
    assert "enabled workflows send to it: watch" in text_of(refused)
    other = channel_create(actor=alice.actor, name="other", type="discord", config={"webhook_url": DISCORD_URL})
    assert pages.post(f"/channels/{other.id}/delete/").url == "/channels/"
    assert pages.get(f"/channels/{other.id}/").status_code == 404


def test_another_signing_secret_is_shown_on_the_page_that_answers(alice: Person) -> None:
    hook = channel_create(actor=alice.actor, name="hook", type="webhook", config={"url": "https://example.com/hook"})
    client = browser(alice)
    made = client.post(f"/channels/{hook.id}/signing-secret/")
    secret = made.context["channel"].made_secret
    assert secret in text_of(made) and secret != hook.made_secret
    assert secret not in text_of(client.get(f"/channels/{hook.id}/"))
