"""Senders in processes of their own: killed, and several at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from executions.deliveries import lease_s
from executions.models import Delivery
from executions.notify import send_s
from tests.delivering import delivered, message
from tests.http_stub import HttpStub
from tests.processes import ManagedProcess
from tests.services import Services
from workflows.models import Channel

pytestmark = pytest.mark.django_db(transaction=True)

SCALE = 0.02

SENDER = """
import django
django.setup()
from executions.models import Delivery
from executions.notify import deliver_due
while Delivery.objects.filter(status="pending").exists():
    deliver_due(20)
"""


@pytest.fixture
def make_sender(http_stub: HttpStub, tmp_path: Path) -> Iterator[Callable[..., ManagedProcess]]:
    senders: list[ManagedProcess] = []

    def make(scale: float = SCALE, **environment: str) -> ManagedProcess:
        sender = ManagedProcess(
            name="sender",
            command=lambda: [sys.executable, "-c", SENDER],
            environment={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "solflow.settings",
                "OUTBOUND_ALLOWED_HOSTS": http_stub.host,
                "SOLFLOW_TEST_TIME_SCALE": str(scale),
                **environment,
            },
            log=tmp_path / f"sender-{len(senders)}.log",
            is_ready=lambda _: True,
        )
        senders.append(sender)
        sender.launch()
        return sender

    yield make
    for sender in senders:
        sender.kill()


@pytest.mark.parametrize(("point", "requests"), [("delivering", 1), ("delivered", 2)])
def test_what_a_killed_sender_had_in_hand_is_sent_again_and_marked(
    channel: Channel,
    http_stub: HttpStub,
    make_sender: Callable[..., ManagedProcess],
    point: str,
    requests: int,
) -> None:
    """Killed just before the request, or between the receiver's yes and its recording: nobody can tell them apart."""
    row = message(channel)
    assert make_sender(SOLFLOW_CRASH_AT=point).wait_until_dead() == -9
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("pending", 0)

    row = delivered(row)

    assert (row.status, row.attempts, row.maybe_repeated) == ("delivered", 2, True)
    assert len(http_stub.requests) == requests


def test_a_lease_outlives_every_send_that_it_covers(settings: Any) -> None:
    for scale in (1.0, 0.1, 0.02, 0.001):
        settings.SOLFLOW_TEST_TIME_SCALE = scale
        assert lease_s() >= 2 * send_s()


def test_no_minute_has_more_than_thirty_from_two_processes_that_lose_redis(
    make_channel: Callable[..., Channel],
    http_stub: HttpStub,
    make_sender: Callable[..., ManagedProcess],
    services: Services,
) -> None:
    """Two hundred messages through two channels of one webhook; a minute is 1.8 seconds here."""
    scale, sent = 0.03, 200
    channels = [make_channel(), make_channel()]
    Delivery.objects.bulk_create(
        Delivery(
            team_id=channels[0].team_id, channel=channels[n % 2], outcome="test", next_attempt_at=timezone.now()
        )
        for n in range(sent)
    )  # fmt: skip
    senders = [make_sender(scale), make_sender(scale)]
    http_stub.wait_for_requests(30, timeout_s=30)
    services.flush_redis()
    for sender in senders:
        assert sender.wait_until_dead() == 0, sender.tail()

    assert Delivery.objects.filter(status="delivered", attempts=1, maybe_repeated=False).count() == sent
    times = sorted(request.at for request in http_stub.requests)
    assert len(times) == sent
    minute_s = 60 * scale
    for first, later in zip(times, times[30:], strict=False):
        assert later - first >= minute_s
    # And it is no slower than it must be: the last twenty wait for six full windows, and little more.
    assert times[-1] - times[0] < 6 * minute_s + 6
