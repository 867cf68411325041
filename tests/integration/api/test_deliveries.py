"""`deliveries/`: what was sent, and dead letters sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from executions.models import Delivery
from tests.integration.api.conftest import DISCORD_URL
from tests.people import Person
from workflows.models import Channel

Create = Callable[..., dict[str, Any]]


@pytest.fixture
def channels(create: Create) -> tuple[Channel, Channel]:
    config = {"webhook_url": DISCORD_URL}
    ids = [create("channels", {"name": name, "type": "discord", "config": config})["id"] for name in ("one", "two")]
    return Channel.objects.get(pk=ids[0]), Channel.objects.get(pk=ids[1])


def sent(channel: Channel, status: str = "dead", **values: Any) -> Delivery:
    return Delivery.objects.create(
        team_id=channel.team_id,
        channel=channel,
        outcome="test",
        status=status,
        attempts=8,
        next_attempt_at=timezone.now(),
        error="" if status == "delivered" else "discord.com answered 500",
        **values,
    )


def test_messages_are_listed_newest_first_and_narrowed_by_status_and_channel(
    api: APIClient, channels: tuple[Channel, Channel]
) -> None:
    one, two = channels
    dead, delivered, other = sent(one), sent(one, "delivered"), sent(two)

    def ids(query: str = "") -> list[int]:
        return [row["id"] for row in api.get(f"/api/v1/deliveries/{query}").json()["results"]]

    assert ids() == [other.pk, delivered.pk, dead.pk]
    assert ids("?status=dead") == [other.pk, dead.pk]
    assert ids(f"?status=dead&channel={one.pk}") == [dead.pk]
    page = api.get("/api/v1/deliveries/?page_size=2").json()
    assert [row["id"] for row in api.get(page["next"]).json()["results"]] == [dead.pk]
    row = api.get(f"/api/v1/deliveries/{dead.pk}/").json()
    assert (row["channel"], row["channel_name"], row["error"]) == (str(one.pk), "one", "discord.com answered 500")
    assert (row["execution"], row["next_attempt_at"]) == (None, None)


@pytest.mark.parametrize("query", ["?status=lost", "?channel=x", "?cursor=x"])
def test_a_filter_that_makes_no_sense_is_400(api: APIClient, query: str) -> None:
    assert api.get(f"/api/v1/deliveries/{query}").status_code == 400


def test_a_dead_letter_is_sent_again_once_and_by_an_operator(
    bob: Person, carol: Person, channels: tuple[Channel, Channel]
) -> None:
    row = sent(channels[0])
    url = f"/api/v1/deliveries/{row.pk}/resend/"
    assert carol.client().post(url).status_code == 403
    answer = bob.client().post(url)
    assert (answer.status_code, answer.json()["status"], answer.json()["attempts"]) == (202, "pending", 0)
    again = bob.client().post(url)
    assert (again.status_code, again.json()["code"]) == (409, "not_dead")
    assert AuditEntry.objects.filter(action="delivery_resent", target_id=str(row.pk)).count() == 1


def test_all_dead_letters_or_those_of_a_channel_are_sent_again_but_not_into_what_is_off(
    bob: Person, channels: tuple[Channel, Channel]
) -> None:
    one, two = channels
    first, second, other, delivered = sent(one), sent(one), sent(two), sent(two, "delivered")
    client = bob.client()
    assert client.post("/api/v1/deliveries/resend/", {"channel": str(one.pk)}, format="json").json() == {"resent": 2}
    Channel.objects.filter(pk=two.pk).update(disabled_at=timezone.now(), disabled_reason="it is gone")
    refused = client.post("/api/v1/deliveries/resend/", {"channel": str(two.pk)}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "channel_disabled")
    assert client.post("/api/v1/deliveries/resend/").json() == {"resent": 0}
    states = dict(Delivery.objects.values_list("id", "status"))
    assert states == {first.pk: "pending", second.pk: "pending", other.pk: "dead", delivered.pk: "delivered"}


def test_messages_of_another_team_do_not_exist(charlie: Person, channels: tuple[Channel, Channel]) -> None:
    row, client = sent(channels[0]), charlie.client()
    assert client.get("/api/v1/deliveries/").json()["results"] == []
    assert client.get(f"/api/v1/deliveries/{row.pk}/").status_code == 404
    assert client.post(f"/api/v1/deliveries/{row.pk}/resend/").status_code == 404
    assert client.post("/api/v1/deliveries/resend/").json() == {"resent": 0}
    assert client.get(f"/api/v1/deliveries/{10**30}/").status_code == 404
