"""kill -9 of the worker at every named step of the money path, then a new worker: one payment, one completion."""

from __future__ import annotations

import pytest

from accounts.actors import Actor, system
from accounts.services import default_team
from executions.models import Attempt, Delivery, Execution, Reservation
from tests.executing import SOL, balance_event, execution, new_address, take_events
from tests.stack import Stack
from tests.waiting import wait_for
from workflows.models import Channel, Signer, Workflow
from workflows.services.channel import channel_create
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create, workflow_enable

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000
POINTS = [
    "claimed",
    "decided",
    "simulated",
    "signed",
    "marked",
    "sent",
    "recorded",
    "confirmed",
    "delivering",
    "delivered",
]


@pytest.fixture
def actor() -> Actor:
    return system(default_team(), "test")


@pytest.fixture
def signer(actor: Actor, stack: Stack) -> Signer:
    made = signer_create(actor=actor, name="treasury")
    stack.chain.airdrop(made.address, 10 * SOL)
    return made


@pytest.fixture
def channel(actor: Actor, stack: Stack) -> Channel:
    url = stack.receiver.discord_url()
    return channel_create(actor=actor, name="team", type="discord", config={"webhook_url": url})


def paying_workflow(actor: Actor, signer: Signer, channel: Channel, to: str) -> Workflow:
    definition = {
        "trigger": {"type": "balance_change", "address": new_address()},
        "actions": [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}],
        "notifications": [{"channel": str(channel.id), "on": ["success", "failed"]}],
    }
    workflow = workflow_create(actor=actor, definition=definition, settings={"name": "pay"}, signer_id=signer.id)
    return workflow_enable(actor=actor, workflow=workflow, enabled_at_slot=0)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_any_step_pays_once(
    point: str, stack: Stack, actor: Actor, signer: Signer, channel: Channel
) -> None:
    """Exactly one landed transaction, one completion, one message (two only where one is marked), no stuck row."""
    to = new_address()
    workflow = paying_workflow(actor, signer, channel, to)
    stack.start("worker", SOLFLOW_CRASH_AT=point)
    stack.start("beat")
    (row_id,) = take_events(workflow, [balance_event(workflow.version.definition["trigger"]["address"], 10)])

    wait_for(lambda: not stack.worker.running, 20, f"the worker dies at {point}")
    stack.start("worker")

    wait_for(lambda: execution(row_id).status == "success", 30, "the execution succeeds")
    delivery = wait_for(lambda: Delivery.objects.filter(status="delivered").first(), 30, "the message is delivered")
    assert stack.chain.balance(to) == PAYMENT
    landed = [one for one in Attempt.objects.all() if stack.chain.status(one.signature, search_history=True)]
    assert len(landed) == 1
    assert Reservation.objects.get().status == "settled"
    assert 10 * SOL - stack.chain.balance(signer.address) == Reservation.objects.get().lamports
    names = [step["name"] for step in execution(row_id).steps]
    assert names.count("confirmed") == 1
    assert len(stack.receiver.requests) == 1 or delivery.maybe_repeated
    assert Execution.objects.exclude(status="success").count() == 0
