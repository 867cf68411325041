"""The page of messages, and what is done on it."""

from __future__ import annotations

from django.test import Client
from django.utils import timezone

from executions.models import Delivery
from tests.integration.pages.conftest import browser, landed, text_of
from tests.people import Person
from workflows.models import Channel, Workflow

LIST = "/notifications/"


def test_the_list_is_narrowed_and_shows_why_something_was_not_delivered(
    workflow: Workflow, channel: Channel, pages: Client
) -> None:
    landed(workflow, channel)
    landed(workflow, channel, delivery="dead")
    assert len(pages.get(LIST).context["deliveries"]) == 2
    dead = pages.get(f"{LIST}?status=dead&channel={channel.id}")
    assert [one.status for one in dead.context["deliveries"]] == ["dead"]
    assert "404 from the webhook" in text_of(dead) and "Resend all to ops" in text_of(dead)
    for nonsense in ("?status=x", "?channel=x", "?before=x"):
        assert pages.get(LIST + nonsense).status_code == 200


def test_a_dead_letter_is_resent_by_its_button_and_the_list_stays_as_it_was(
    workflow: Workflow, channel: Channel, bob: Person
) -> None:
    landed(workflow, channel, delivery="dead")
    row, client = Delivery.objects.get(), browser(bob)
    narrowed = f"http://testserver{LIST}?status=dead"
    assert client.post(f"{LIST}{row.pk}/resend/", headers={"Referer": narrowed}).url == narrowed
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("pending", 0)
    assert client.post(f"{LIST}{row.pk}/resend/", headers={"Referer": "https://evil.example/"}).url == LIST
    assert "only a message that is dead" in text_of(client.get(LIST))


def test_all_are_resent_unless_their_channel_is_off(workflow: Workflow, channel: Channel, bob: Person) -> None:
    landed(workflow, channel, delivery="dead")
    landed(workflow, channel, delivery="dead")
    Channel.objects.update(disabled_at=timezone.now(), disabled_reason="it is gone")
    client = browser(bob)
    refused = client.post(f"{LIST}resend/", {"choice": str(channel.id)}, follow=True)
    assert "its channel is switched off: it is gone" in text_of(refused)
    Channel.objects.update(disabled_at=None)
    assert "2 messages are on the way again." in text_of(client.post(f"{LIST}resend/", follow=True))
    assert client.post(f"{LIST}resend/", {"choice": "x"}).status_code == 404


def test_words_are_shown_as_the_channel_would_show_them_about_what_happened_last(
    workflow: Workflow, channel: Channel, pages: Client
) -> None:
    execution = landed(workflow, channel)
    start = pages.get(f"{LIST}preview/?channel={channel.id}")
    assert start.context["shown"].source == "past" and "event.lamports_delta" in text_of(start)
    values = {
        "channel": str(channel.id),
        "workflow": str(workflow.id),
        "outcome": "success",
        "template": "minimal",
        "title": "Paid **{{ event.lamports_delta }}**",
        "color": "#123456",
    }
    shown = pages.post(f"{LIST}preview/", values)
    assert shown.status_code == 200
    assert f"Paid <strong>{execution.event['lamports_delta']}</strong>" in text_of(shown)
    assert "#123456" in text_of(shown)
    assert Delivery.objects.count() == 1


def test_words_that_are_wrong_are_said_to_be_beside_their_field(channel: Channel, pages: Client) -> None:
    values = {"channel": str(channel.id), "outcome": "failed", "template": "default"}
    wrong = pages.post(f"{LIST}preview/", {**values, "message": "{{ evnt.slot }}", "color": "blue"})
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {"message", "color"}
    assert "notifications[0]" not in text_of(wrong)


def test_without_a_channel_there_is_a_way_to_one(pages: Client) -> None:
    assert "No channel yet" in text_of(pages.get(f"{LIST}preview/"))
    assert pages.post(f"{LIST}preview/", {"channel": "x"}).status_code == 200
