"""Messages from their row to a receiver that speaks Discord over real HTTP, and back into the row."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.actors import Actor
from accounts.errors import Missing, Refused
from accounts.models import AuditEntry
from executions.models import Delivery, Execution, SendWindow
from executions.notify import channel_test, deliver_due
from executions.resends import delivery_resend
from tests.delivering import TOKEN, deliver_until, delivered, ended, message
from tests.discord_limits import assert_valid
from tests.http_stub import Answer, HttpStub
from workflows.models import Channel
from workflows.services.channel import channel_delete, channel_update

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_message_is_delivered_once_and_the_execution_has_the_step(
    channel: Channel, execution: Execution, http_stub: HttpStub
) -> None:
    row = delivered(message(channel, execution))

    assert (row.status, row.attempts, row.maybe_repeated, row.error) == ("delivered", 1, False, "")
    assert row.delivered_at is not None
    (request,) = http_stub.requests
    assert request.path == f"/api/webhooks/1/{TOKEN}?wait=true"
    assert_valid(request.json)
    assert request.json["embeds"][0]["title"] == "watch succeeded"
    execution.refresh_from_db()
    (step,) = execution.steps
    assert step["name"] == "notified"
    assert step["detail"] == {"channel": str(channel.id), "status": "delivered", "attempts": 1}


def test_a_pause_is_told_with_its_reason_and_the_execution_that_brought_it_about(
    channel: Channel, execution: Execution, http_stub: HttpStub
) -> None:
    pause = {"outcome": "paused", "template": {"reason": "paused after 5 failures in a row; the last: build_failed"}}

    delivered(message(channel, execution, **pause))

    (embed,) = http_stub.requests[0].json["embeds"]
    assert_valid(http_stub.requests[0].json)
    assert embed["title"] == "watch is paused"
    assert embed["description"].startswith("Paused after 5 failures in a row")
    assert execution.execution_id in str(embed["fields"])


def test_nothing_due_is_nothing_done(channel: Channel) -> None:
    assert deliver_due() == (0, None)


def test_the_call_says_when_the_next_message_is_due(channel: Channel, http_stub: HttpStub) -> None:
    message(channel, next_attempt_at=timezone.now() + timedelta(seconds=30))
    handled, next_due_s = deliver_due()
    assert handled == 0
    assert next_due_s == pytest.approx(30, abs=2)
    assert http_stub.requests == []


def test_too_many_requests_is_waited_out_and_no_attempt(channel: Channel, http_stub: HttpStub) -> None:
    http_stub.answer_next(Answer.of_json(429, {"retry_after": 0.4, "global": False}, **{"X-RateLimit-Scope": "user"}))
    first, second = message(channel), message(channel)

    deliver_until(ended(first, second))

    assert set(Delivery.objects.values_list("status", "attempts")) == {("delivered", 1)}
    times = [request.at for request in http_stub.requests]
    # Both may have been on their way when the first answer came; what comes after that waits.
    assert max(times) - times[0] >= 0.4
    assert all(later - times[0] < 0.2 or later - times[0] >= 0.4 for later in times)


def test_a_global_limit_holds_every_webhook_of_the_service(
    make_channel: Callable[..., Channel], http_stub: HttpStub
) -> None:
    here, there = make_channel(http_stub.discord_url(1)), make_channel(http_stub.discord_url(2))
    http_stub.answer_next(Answer.of_json(429, {"retry_after": 0.5, "global": True}, **{"X-RateLimit-Global": "true"}))
    first = message(here)
    deliver_due(1)
    other = message(there)

    deliver_until(ended(first, other))

    times = [request.at for request in http_stub.requests]
    assert len(times) == 3
    assert times[1] - times[0] >= 0.5


def test_a_limit_that_the_answer_says_is_used_up_is_not_run_into(channel: Channel, http_stub: HttpStub) -> None:
    http_stub.answer_next(Answer(200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "0.5"}))
    delivered(message(channel))
    delivered(message(channel))
    first, second = http_stub.requests
    assert second.at - first.at >= 0.5


def test_a_failure_of_the_receiver_is_tried_again_and_marked_as_no_repetition(
    channel: Channel, http_stub: HttpStub
) -> None:
    http_stub.answer_next(Answer(500), Answer(503, {}, b"<html>"))
    row = delivered(message(channel))
    assert (row.status, row.attempts, row.maybe_repeated, row.error) == ("delivered", 3, False, "")


def test_a_lost_answer_is_sent_again_and_marked(channel: Channel, http_stub: HttpStub) -> None:
    http_stub.answer_next(Answer(close=True))
    row = delivered(message(channel))
    assert (row.status, row.attempts, row.maybe_repeated) == ("delivered", 2, True)
    assert len(http_stub.requests) == 2


def test_a_receiver_that_is_too_slow_is_an_answer_lost_and_the_others_do_not_wait_for_it(
    make_channel: Callable[..., Channel], http_stub: HttpStub
) -> None:
    http_stub.answer_next(Answer(delay_s=2.5))
    slow = message(make_channel(http_stub.discord_url(1)))
    others = [message(make_channel(http_stub.discord_url(number))) for number in range(2, 6)]

    deliver_until(ended(slow, *others))

    first_five = http_stub.requests[:5]
    assert max(request.at for request in first_five) - first_five[0].at < 1.5
    assert Delivery.objects.filter(status="delivered").count() == 5
    assert Delivery.objects.filter(maybe_repeated=True).count() == 1


def test_a_receiver_that_never_recovers_is_a_dead_letter_that_a_person_sends_again(
    actor: Actor, channel: Channel, execution: Execution, http_stub: HttpStub
) -> None:
    http_stub.default = Answer(500)
    row = message(channel, execution)
    for _ in range(8):
        Delivery.objects.update(next_attempt_at=timezone.now())
        deliver_due(1)
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("dead", 8)
    assert row.error == f"{http_stub.host} answered 500"
    execution.refresh_from_db()
    assert execution.steps[-1]["detail"]["status"] == "dead"

    http_stub.default = Answer()
    delivery_resend(actor=actor, delivery=row)
    row = delivered(row)
    assert (row.status, row.attempts) == ("delivered", 1)
    assert AuditEntry.objects.filter(action="delivery_resent").count() == 1


def test_only_the_dead_are_sent_again_by_hand(actor: Actor, channel: Channel) -> None:
    with pytest.raises(Refused):
        delivery_resend(actor=actor, delivery=message(channel))


def test_a_refusal_that_will_not_change_is_dead_at_once(channel: Channel, http_stub: HttpStub) -> None:
    http_stub.default = Answer.of_json(400, {"code": 50035, "message": "Invalid Form Body"})
    row = delivered(message(channel))
    assert (row.status, row.attempts) == ("dead", 1)
    assert row.error == f"{http_stub.host} answered 400: 50035 Invalid Form Body"


def test_a_webhook_that_discord_no_longer_knows_is_asked_once_and_works_again_after_a_test(
    actor: Actor, channel: Channel, execution: Execution, http_stub: HttpStub
) -> None:
    http_stub.default = Answer.of_json(404, {"code": 10015, "message": "Unknown Webhook"})
    gone, after = delivered(message(channel, execution)), delivered(message(channel, execution))
    assert [gone.status, after.status] == ["dead", "dead"]
    assert len(http_stub.requests) == 1
    assert "switched off" in after.error
    channel.refresh_from_db()
    assert channel.disabled_at is not None

    http_stub.default = Answer()
    delivered(Delivery.objects.get(pk=channel_test(actor=actor, channel=channel)))

    channel.refresh_from_db()
    assert channel.disabled_at is None
    assert list(AuditEntry.objects.filter(target_type="channel").order_by("id").values_list("action", flat=True)) == [
        "channel_created",
        "channel_disabled",
        "channel_tested",
        "channel_enabled",
    ]


def test_a_message_to_a_deleted_channel_is_dead_and_nothing_is_sent(
    actor: Actor, channel: Channel, http_stub: HttpStub
) -> None:
    row = message(channel)
    channel_delete(actor=actor, channel=channel)
    row = delivered(row)
    assert (row.status, row.error) == ("dead", "the channel was deleted")
    assert http_stub.requests == []
    with pytest.raises(Missing):
        channel_test(actor=actor, channel=channel)


def test_a_new_url_is_used_from_the_next_attempt_on(actor: Actor, channel: Channel, http_stub: HttpStub) -> None:
    http_stub.answer_next(Answer(500))
    row = message(channel)
    deliver_due(1)
    channel_update(actor=actor, channel=channel, changes={"config": {"webhook_url": http_stub.discord_url(9)}})
    delivered(row)
    assert [request.path.split("/")[3] for request in http_stub.requests] == ["1", "9"]


def test_a_worker_without_the_key_keeps_the_message_for_one_that_has_it(
    channel: Channel, http_stub: HttpStub, settings: Any
) -> None:
    keys, settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS, []
    row = message(channel)
    deliver_due(1)
    row.refresh_from_db()
    assert row.status == "pending"
    assert "cannot be opened" in row.error

    settings.FIELD_ENCRYPTION_KEYS = keys
    assert delivered(row).status == "delivered"


def test_a_box_moved_from_another_channel_is_not_opened(
    make_channel: Callable[..., Channel], http_stub: HttpStub
) -> None:
    mine, other = make_channel(), make_channel()
    Channel.objects.filter(pk=mine.pk).update(sealed=bytes(other.sealed))
    row = message(mine)
    deliver_due(1)
    row.refresh_from_db()
    assert "sealed for another row" in row.error
    assert http_stub.requests == []


def test_one_row_that_breaks_the_code_does_not_stop_the_others(
    channel: Channel, execution: Execution, http_stub: HttpStub
) -> None:
    broken = message(channel, execution, template={"template": "no such template"})
    fine = message(channel, execution)
    deliver_until(ended(fine))
    broken.refresh_from_db()
    assert broken.status == "pending"
    assert broken.error.startswith("internal error (KeyError)")
    assert len(http_stub.requests) == 1


def test_an_address_inside_the_network_is_refused_at_sending_too(
    channel: Channel, http_stub: HttpStub, settings: Any
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = []
    row = delivered(message(channel))
    assert row.status == "dead"
    assert "loopback" in row.error
    assert http_stub.requests == []


def test_a_token_is_in_no_error_no_log_and_no_window(
    channel: Channel, http_stub: HttpStub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    http_stub.answer_next(
        Answer.of_json(500, {"message": f"failed for {TOKEN}"}),
        Answer(302, {"Location": http_stub.discord_url(token=TOKEN)}),
    )
    delivered(message(channel))
    http_stub.answer_next(Answer(close=True), Answer.of_json(429, {"message": TOKEN, "retry_after": 0}))
    delivered(message(channel))

    printed = capsys.readouterr()
    assert TOKEN not in caplog.text + printed.out + printed.err
    rows = [*Delivery.objects.values_list("error", flat=True), *map(str, SendWindow.objects.values())]
    assert TOKEN not in " ".join(rows)
    assert "302: redirects are not followed" in " ".join(rows)


def test_two_channels_with_one_webhook_share_its_window(make_channel: Callable[..., Channel]) -> None:
    for one in (make_channel(), make_channel()):
        delivered(message(one))
    assert SendWindow.objects.count() == 1
