"""A channel that fails for days is switched off, says why, and is switched on by a person or by a message."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import AuditEntry
from executions.models import Execution
from executions.notify import FAILING_S, deliver_due
from tests.delivering import delivered, message
from tests.http_stub import Answer, HttpStub
from workflows.models import Channel
from workflows.services.channel_health import LEAST_FAILURES, channel_switch_on

pytestmark = pytest.mark.django_db(transaction=True)


def age(channel: Channel, seconds: float, failures: int) -> None:
    since = timezone.now() - timedelta(seconds=seconds)
    Channel.objects.filter(pk=channel.pk).update(failing_since=since, failures_in_row=failures)


def test_failures_are_counted_until_a_message_arrives(channel: Channel, http_stub: HttpStub) -> None:
    http_stub.answer_next(Answer(500), Answer(close=True))
    row = message(channel)
    deliver_due(1)
    channel.refresh_from_db()
    assert channel.failing_since is not None and channel.failures_in_row >= 1
    delivered(row)
    channel.refresh_from_db()
    assert (channel.failing_since, channel.failures_in_row, channel.disabled_at) == (None, 0, None)


def test_after_days_of_nothing_but_failures_it_is_switched_off_with_the_reason(
    channel: Channel, execution: Execution, http_stub: HttpStub
) -> None:
    http_stub.default = Answer(500)
    age(channel, FAILING_S * 0.02, LEAST_FAILURES - 1)
    row = message(channel, execution)
    deliver_due(1)
    channel.refresh_from_db()
    assert channel.disabled_at is not None
    assert channel.disabled_reason.startswith("nothing has arrived since ")
    assert channel.disabled_reason.endswith(f"in {LEAST_FAILURES} attempts; the last: {http_stub.host} answered 500")
    assert AuditEntry.objects.filter(action="channel_disabled", target_id=str(channel.pk)).count() == 1
    # What is due finds it switched off, and is a dead letter for a person.
    assert delivered(row).status == "dead"


@pytest.mark.parametrize(("for_s", "failures"), [(FAILING_S * 0.02 * 0.9, 100), (FAILING_S, LEAST_FAILURES - 2)])
def test_a_shorter_time_or_a_single_message_is_not_enough(
    channel: Channel, http_stub: HttpStub, for_s: float, failures: int
) -> None:
    http_stub.default = Answer(500)
    age(channel, for_s, failures)
    message(channel)
    deliver_due(1)
    channel.refresh_from_db()
    assert channel.disabled_at is None


def test_being_asked_to_wait_is_no_failure_of_the_channel(channel: Channel, http_stub: HttpStub) -> None:
    http_stub.answer_next(Answer.of_json(429, {"retry_after": 0.2}))
    delivered(message(channel))
    channel.refresh_from_db()
    assert (channel.failing_since, channel.failures_in_row) == (None, 0)


def test_a_person_switches_it_on_and_the_count_begins_anew(actor: Actor, channel: Channel) -> None:
    age(channel, FAILING_S, 50)
    Channel.objects.update(disabled_at=timezone.now(), disabled_reason="it fails")
    channel_switch_on(actor=actor, channel=channel)
    channel.refresh_from_db()
    assert (channel.disabled_at, channel.disabled_reason, channel.failing_since) == (None, "", None)
    assert channel.failures_in_row == 0
