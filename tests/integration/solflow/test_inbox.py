"""The inbox over HTTP: Discord's answers and headers, the newest messages, the door for people only."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from accounts.services import user_ensure
from solflow.inbox.store import KEPT
from solflow.inbox.views import store

URL = "/inbox/api/webhooks/42/some-token"


def post(client: Client, payload: object, url: str = URL):
    return client.post(url, payload, content_type="application/json")


@pytest.fixture
def client(services) -> Client:
    return Client(enforce_csrf_checks=True)


def test_a_message_is_taken_without_a_cookie_and_answered_with_no_content(client: Client):
    answer = post(client, {"content": "hello"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert [message.payload for message in store().newest_first()] == [{"content": "hello"}]


def test_waiting_for_the_message_answers_it(client: Client):
    answer = post(client, {"content": "hello"}, f"{URL}?wait=true")
    assert answer.status_code == 200
    assert answer.json()["content"] == "hello"
    assert answer.json()["webhook_id"] == "42"


def test_the_token_of_a_webhook_is_not_kept(client: Client):
    post(client, {"content": "hello"})
    assert "some-token" not in repr(store().newest_first())


def test_a_message_that_discord_would_refuse_is_refused(client: Client):
    assert post(client, {"content": "x" * 2001}).status_code == 400
    assert client.post(URL, "not json", content_type="application/json").json()["code"] == 50109
    assert store().newest_first() == []


def test_the_sixth_message_in_two_seconds_is_told_when_to_come_back(client: Client):
    answers = [post(client, {"content": "hello"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [204] * 5 + [429]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    refused = answers[-1]
    assert 0 < refused.json()["retry_after"] <= 2
    assert refused.json()["global"] is False
    assert refused["Retry-After"] in {"1", "2"}
    assert len({answer["X-RateLimit-Bucket"] for answer in answers}) == 1


def test_one_webhook_does_not_use_up_the_limit_of_another(client: Client):
    for _ in range(6):
        post(client, {"content": "hello"})
    assert post(client, {"content": "hello"}, "/inbox/api/webhooks/43/other").status_code == 204


def test_only_the_newest_messages_are_kept(services):
    for number in range(KEPT + 5):
        store().add("1", {"content": str(number)})
    kept = store().newest_first()
    assert len(kept) == KEPT
    assert kept[0].payload == {"content": str(KEPT + 4)}


def test_messages_outlive_a_restart_of_redis(services):
    store().add("1", {"content": "kept"})
    services.redis.stop()
    services.redis.start()
    assert [message.payload for message in store().newest_first()] == [{"content": "kept"}]


def test_a_stranger_is_sent_to_the_login(client: Client):
    answer = client.get(reverse("inbox"))
    assert (answer.status_code, answer["Location"].startswith("/login")) == (302, True)


@pytest.mark.django_db
def test_the_page_shows_what_arrived(client: Client):
    post(client, {"username": "SolFlow", "embeds": [{"title": "Paid <b>0.001</b> SOL"}]})
    user_ensure(username="alice", password="a long enough password")
    client.force_login(get_user_model().objects.get())
    page = client.get(reverse("inbox")).content.decode()
    assert "Paid &lt;b&gt;0.001&lt;/b&gt; SOL" in page
