"""Many executions at once, in several real worker processes: the hourly rate holds, and equal payments are all made."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts.actors import Actor, system
from accounts.services import default_team
from executions.models import Attempt, Delivery, Execution, RateUnit, Reservation
from tests.executing import SOL, balance_event, new_address, take_events
from tests.stack import Stack
from tests.waiting import wait_for
from workflows.models import Signer, Workflow
from workflows.services.channel import channel_create
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create, workflow_enable

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

PAYMENT = 900_000
FEE = 5_000
WRITERS = 4


@pytest.fixture
def actor() -> Actor:
    return system(default_team(), "test")


@pytest.fixture
def signer(actor: Actor, stack: Stack) -> Signer:
    made = signer_create(actor=actor, name="treasury")
    stack.chain.airdrop(made.address, 10 * SOL)
    return made


def paying(actor: Actor, signer: Signer, to: str, *, notifications: list[dict[str, Any]], **more: Any) -> Workflow:
    """An enabled workflow that pays `to`."""
    definition = {
        "trigger": {"type": "balance_change", "address": new_address()},
        "actions": [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}],
        "notifications": notifications,
    }
    made = workflow_create(actor=actor, definition=definition, settings={"name": "pays", **more}, signer_id=signer.id)
    return workflow_enable(actor=actor, workflow=made, enabled_at_slot=0)


def take_at_once(workflow: Workflow, count: int, batch: int) -> None:
    """So many events, taken in by several writers at the same time, in transactions of `batch`."""
    address = workflow.version.definition["trigger"]["address"]
    events = [balance_event(address, 10 + number) for number in range(count)]

    def write(part: int) -> None:
        try:
            take_events(workflow, events[part : part + batch])
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(0, count, batch)))


def start(stack: Stack) -> None:
    """Two workers, each with processes of its own, and beat."""
    stack.another_worker("worker2")
    stack.start("worker", "worker2", "beat")


def ended() -> Counter[str]:
    return Counter(Execution.objects.values_list("status", flat=True))


def test_of_a_thousand_events_at_once_ten_pay_where_ten_an_hour_are_the_limit(
    stack: Stack, actor: Actor, signer: Signer
) -> None:
    """The other 990 are throttled, which is told once."""
    to = new_address()
    channel = channel_create(
        actor=actor, name="team", type="discord", config={"webhook_url": stack.receiver.discord_url()}
    )
    notifications = [{"channel": str(channel.id), "on": ["throttled"]}]
    workflow = paying(actor, signer, to, notifications=notifications, max_executions_per_hour=10)
    start(stack)

    take_at_once(workflow, 1_000, batch=25)

    wait_for(lambda: ended() == {"success": 10, "throttled": 990}, 120, "all executions have ended")
    stack.receiver.wait_for_requests(1)
    assert stack.chain.balance(to) == 10 * PAYMENT
    assert 10 * SOL - stack.chain.balance(signer.address) == 10 * (PAYMENT + FEE)
    assert Attempt.objects.count() == Reservation.objects.count() == RateUnit.objects.count() == 10
    assert Delivery.objects.count() == len(stack.receiver.requests) == 1


def test_fifty_executions_at_once_that_pay_the_same_amount_to_the_same_recipient_are_fifty_payments(
    stack: Stack, actor: Actor, signer: Signer
) -> None:
    """Many of them under the same cached blockhash: only the memo tells them apart."""
    to = new_address()
    workflow = paying(actor, signer, to, notifications=[], max_executions_per_hour=1_000)
    start(stack)

    take_at_once(workflow, 50, batch=5)

    wait_for(lambda: ended() == {"success": 50}, 120, "all executions succeed")
    assert stack.chain.balance(to) == 50 * PAYMENT
    assert 10 * SOL - stack.chain.balance(signer.address) == 50 * (PAYMENT + FEE)
    attempts = Attempt.objects.all()
    assert len({one.signature for one in attempts}) == len(attempts) == 50
    assert len({one.blockhash for one in attempts}) < 50
