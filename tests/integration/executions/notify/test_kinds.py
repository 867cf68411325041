"""Channels beside Discord, from a row to a receiver that speaks their protocol, and back into the row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from accounts.actors import Actor
from executions.models import Delivery, Execution
from executions.notify import deliver_due
from tests.delivering import delivered, message
from tests.http_stub import Answer, HttpStub
from tests.mail_stub import MailStub
from workflows.models import Channel
from workflows.services.channel import channel_create, channel_update

pytestmark = pytest.mark.django_db(transaction=True)

BOT_TOKEN = "123456789:AAnobody-may-see-this-token_0123456"
SLACK_PATH = "/services/T00/B00/nobodymayseethis"


@pytest.fixture
def make(actor: Actor) -> Callable[..., Channel]:
    def make(kind: str, **config: Any) -> Channel:
        return channel_create(actor=actor, name="ops", type=kind, config=config)

    return make


@pytest.fixture
def webhook(make: Callable[..., Channel], http_stub: HttpStub) -> Channel:
    return make("webhook", url=f"{http_stub.url}/hook/of-ours")


@pytest.fixture
def telegram(make: Callable[..., Channel], http_stub: HttpStub) -> Channel:
    return make("telegram", bot_token=BOT_TOKEN, chat_id="-100200", api_url=http_stub.url)


@pytest.fixture
def slack(make: Callable[..., Channel], http_stub: HttpStub) -> Channel:
    return make("slack", webhook_url=f"{http_stub.url}{SLACK_PATH}")


@pytest.fixture
def mail_stub(settings: Any) -> Iterator[MailStub]:
    stub = MailStub()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", stub.port
    settings.EMAIL_USE_SSL, settings.EMAIL_TLS_REQUIRED = False, False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.DEFAULT_FROM_EMAIL = "solflow@example.org"
    yield stub
    stub.close()


@pytest.fixture
def email(make: Callable[..., Channel], mail_stub: MailStub) -> Channel:
    return make("email", to=["ops@example.org", "night@example.org"])


def state(row: Delivery) -> tuple[str, int, bool]:
    return row.status, row.attempts, row.maybe_repeated


def test_a_webhook_is_verified_by_the_reference_library_and_holds_the_whole_execution(
    webhook: Channel, execution: Execution, http_stub: HttpStub
) -> None:
    row = delivered(message(webhook, execution))

    assert state(row) == ("delivered", 1, False)
    (request,) = http_stub.requests
    assert webhook.made_secret is not None
    said: Any = Webhook(webhook.made_secret).verify(request.body.decode(), dict(request.headers))
    assert said["type"] == "execution.success"
    assert said["data"]["execution"]["execution_id"] == execution.execution_id
    assert said["data"]["execution"]["event"]["lamports_delta"] == 1_000_000_000
    assert said["data"]["workflow"]["name"] == "watch"
    assert said["data"]["title"] == "watch succeeded"


def test_a_webhooks_message_id_stays_when_it_is_sent_again_and_differs_between_messages(
    webhook: Channel, execution: Execution, http_stub: HttpStub
) -> None:
    http_stub.answer_next(Answer(500), Answer(close=True))
    row = delivered(message(webhook, execution))
    delivered(message(webhook, execution))

    assert state(row) == ("delivered", 3, True)
    ids = [request.headers["webhook-id"] for request in http_stub.requests]
    assert ids[0] == ids[1] == ids[2] != ids[3]


def test_a_webhooks_secret_is_changed_without_its_url_and_its_url_without_its_secret(
    actor: Actor, webhook: Channel, http_stub: HttpStub
) -> None:
    made, other = str(webhook.made_secret), "whsec_" + "QUJD" * 10
    channel_update(actor=actor, channel=webhook, changes={"config": {**webhook.shown, "secret": other}})
    delivered(message(webhook))
    changed = channel_update(actor=actor, channel=webhook, changes={"config": {"url": f"{http_stub.url}/elsewhere"}})
    delivered(message(webhook))

    first, second = http_stub.requests
    assert (first.path, second.path) == ("/hook/of-ours", "/elsewhere")
    assert changed.shown["secret"] == "whsec_…QUJD"
    for request in (first, second):
        Webhook(other).verify(request.body.decode(), dict(request.headers))
        with pytest.raises(Exception, match="matching signature"):
            Webhook(made).verify(request.body.decode(), dict(request.headers))


@pytest.mark.parametrize("status", [401, 404, 410])
def test_a_webhook_that_is_refused_is_a_dead_letter_at_once_and_410_switches_it_off(
    webhook: Channel, http_stub: HttpStub, status: int
) -> None:
    http_stub.default = Answer(status, {}, b"no such hook")
    row = delivered(message(webhook))
    assert state(row) == ("dead", 1, False)
    assert f"answered {status}: no such hook" in row.error
    webhook.refresh_from_db()
    assert (webhook.disabled_at is not None) is (status == 410)


def test_a_webhook_that_asks_to_wait_is_waited_for(webhook: Channel, http_stub: HttpStub) -> None:
    http_stub.answer_next(Answer(429, {"Retry-After": "1"}))
    row = delivered(message(webhook))
    first, second = http_stub.requests
    assert state(row) == ("delivered", 1, False)
    assert second.at - first.at >= 1


def test_telegram_gets_text_with_ranges_and_its_token_is_nowhere_else(
    telegram: Channel, execution: Execution, http_stub: HttpStub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    description = f"Bad Request: bot {BOT_TOKEN} is odd"
    http_stub.answer_next(Answer.of_json(500, {"ok": False, "error_code": 500, "description": description}))
    row = delivered(message(telegram, execution))

    assert state(row) == ("delivered", 2, False)
    request = http_stub.requests[-1]
    assert request.path == f"/bot{BOT_TOKEN}/sendMessage"
    assert request.json["chat_id"] == -100200
    assert request.json["text"].startswith("watch succeeded\n")
    assert {"type": "bold", "offset": 0, "length": 15} in request.json["entities"]
    assert BOT_TOKEN[10:] not in caplog.text + str(list(Delivery.objects.values())) + str(telegram.shown)
    assert telegram.shown["bot_token"] == f"api.telegram.org/…{BOT_TOKEN[-4:]}"


def test_telegrams_word_to_wait_is_obeyed_and_no_attempt(telegram: Channel, http_stub: HttpStub) -> None:
    too_many = {"ok": False, "error_code": 429, "description": "Too Many", "parameters": {"retry_after": 1}}
    http_stub.answer_next(Answer.of_json(429, too_many))
    row = delivered(message(telegram))
    first, second = http_stub.requests
    assert (state(row), second.at - first.at >= 1) == (("delivered", 1, False), True)


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (401, {"description": "Unauthorized"}, "Unauthorized"),
        (403, {"description": "Forbidden: bot was kicked from the group chat"}, "kicked"),
        (400, {"description": "Bad Request: chat not found"}, "chat not found"),
        (400, {"description": "x", "parameters": {"migrate_to_chat_id": -1007}}, "its chat_id is now -1007"),
    ],
)
def test_a_chat_that_telegram_does_not_have_is_switched_off_with_the_reason(
    telegram: Channel, http_stub: HttpStub, status: int, said: dict[str, Any], told: str
) -> None:
    http_stub.default = Answer.of_json(status, {"ok": False, "error_code": status, **said})
    row = delivered(message(telegram))
    telegram.refresh_from_db()
    assert state(row) == ("dead", 1, False)
    assert told in row.error and told in telegram.disabled_reason


def test_slack_gets_a_title_and_blocks_in_the_colour_of_the_outcome(
    slack: Channel, execution: Execution, http_stub: HttpStub
) -> None:
    http_stub.default = Answer(200, {}, b"ok")
    row = delivered(message(slack, execution))
    assert state(row) == ("delivered", 1, False)
    (request,) = http_stub.requests
    assert request.path == SLACK_PATH
    assert request.json["text"] == "*watch succeeded*"
    (attachment,) = request.json["attachments"]
    assert attachment["color"] == "#14b887"
    assert "Account" in str(attachment["blocks"])


def test_slack_is_waited_for_and_a_webhook_that_is_no_more_is_switched_off(slack: Channel, http_stub: HttpStub) -> None:
    http_stub.answer_next(Answer(429, {"Retry-After": "1"}, b"rate_limited"), Answer(404, {}, b"no_service"))
    row = delivered(message(slack))
    slack.refresh_from_db()
    assert state(row) == ("dead", 1, False)
    assert slack.disabled_reason.endswith("answered 404: no_service")
    assert "nobodymayseethis" not in row.error


def test_mail_is_handed_to_the_server_with_an_id_of_its_own(
    email: Channel, execution: Execution, mail_stub: MailStub
) -> None:
    row = delivered(message(email, execution))
    assert state(row) == ("delivered", 1, False)
    (mail,) = mail_stub.mails
    assert (mail.sender, mail.to) == ("solflow@example.org", ["ops@example.org", "night@example.org"])
    assert mail.parsed["Subject"] == "watch succeeded"
    assert mail.parsed["Message-ID"].startswith("<msg_")
    text = mail.parsed.get_body(("plain",))
    assert text is not None and "Account: " in text.get_content()


@pytest.mark.parametrize(
    ("answers", "expected", "told"),
    [
        (
            {"ops@example.org": "550 no such box"},
            ("dead", 1, False),
            "refused for ops@example.org; night@example.org has",
        ),
        ({"RCPT": "550 nobody here"}, ("dead", 1, False), "answered 550: nobody here"),
        ({"MAIL": "530 sign in first"}, ("dead", 1, False), "530"),
        ({".": "554 it looks like spam"}, ("dead", 1, False), "554"),
    ],
)
def test_mail_that_is_refused_for_good_is_a_dead_letter_that_says_by_whom(
    email: Channel, mail_stub: MailStub, answers: dict[str, str | None], expected: Any, told: str
) -> None:
    mail_stub.answers.update(answers)
    row = delivered(message(email))
    assert state(row) == expected
    assert told in row.error


def test_mail_that_is_refused_for_now_reaches_nobody_until_it_reaches_all(email: Channel, mail_stub: MailStub) -> None:
    mail_stub.answers["night@example.org"] = "451 come back"
    row = message(email)

    deliver_due(1)
    row.refresh_from_db()
    assert (row.status, row.attempts, mail_stub.mails) == ("pending", 1, [])
    mail_stub.answers.clear()
    assert state(delivered(row)) == ("delivered", 2, False)
    assert len(mail_stub.mails) == 1


def test_a_mail_server_that_hangs_up_after_the_mail_has_perhaps_taken_it(email: Channel, mail_stub: MailStub) -> None:
    mail_stub.answers["."] = None
    row = message(email)

    deliver_due(1)
    row.refresh_from_db()
    assert state(row) == ("pending", 1, True)


def test_a_password_is_not_sent_without_tls(email: Channel, mail_stub: MailStub, settings: Any) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "ops", "a-password"
    settings.EMAIL_TLS_REQUIRED = True
    row = message(email)

    deliver_due(1)
    row.refresh_from_db()
    assert row.status == "pending" and "a-password" not in row.error
    assert not any(command.startswith("AUTH") for command in mail_stub.commands)


def test_without_a_mail_server_mail_is_a_dead_letter_that_says_so(email: Channel, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    row = delivered(message(email))
    assert (row.status, row.error) == ("dead", "EMAIL_URL is not set for the worker: no mail server to send by")


def test_a_discord_channel_posts_under_its_name_into_its_thread(
    make: Callable[..., Channel], http_stub: HttpStub
) -> None:
    avatar = "https://example.com/solly.png"
    channel = make(
        "discord",
        webhook_url=http_stub.discord_url() + "?thread_id=1",
        thread_id="42",
        username="Solly",
        avatar_url=avatar,
    )
    delivered(message(channel))
    (request,) = http_stub.requests
    assert request.path.endswith("?wait=true&thread_id=42") or request.path.endswith("?thread_id=42&wait=true")
    assert (request.json["username"], request.json["avatar_url"]) == ("Solly", avatar)
    assert request.json["allowed_mentions"] == {"parse": []}
