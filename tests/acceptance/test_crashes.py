"""kill -9 of the worker at every named step of the money path: one payment, one completion, one message for each event.

One worker after another lives, each armed with another point; what one leaves behind the next ones take up. At the end
the sums must agree for every point by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

import pytest
from django.db import transaction
from django.db.models import QuerySet

from accounts.actors import Actor, system
from accounts.services import default_team
from executions.crashpoints import WORKER_POINTS
from executions.models import Attempt, Delivery, Execution, Reservation
from tests.executing import SOL, balance_event, new_address, take_events
from tests.local_chain import LocalChain
from tests.stack import Stack
from tests.waiting import wait_for
from workflows.models import Channel, Signer, Workflow
from workflows.services.channel import channel_create
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create, workflow_enable

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000
FEE = 5_000
BLOCKS_TO_CONFIRMATION = 3
BLOCKS_TO_FINALITY = 33
BLOCKS_TO_REVERT = 45
BLOCKS_TO_EXPIRY = 185
# What an event that is paid and told passes by itself, in the order in which it does.
ON_THE_WAY = [
    "claimed",
    "decided",
    "simulated",
    "signing",
    "signed",
    "marked",
    "sent",
    "recorded",
    "confirming",
    "confirmed",
    "delivery_claimed",
    "delivering",
    "delivered",
    "finalizing",
    "finalized",
]
# `make test` takes the points between which something is committed or leaves the machine; all of them with
# TEST_CRASH_POINTS=all.
SHORT_FORM = ["decided", "signing", "signed", "marked", "sent", "confirming", "delivering", "finalizing"]
WALKED = ON_THE_WAY if os.environ.get("TEST_CRASH_POINTS") == "all" else SHORT_FORM
PATIENCE_S = 30.0
# Two workers that died one after the other while they delivered hold both turns at it for this long and more.
LONG_PATIENCE_S = 60.0


class Money:
    """A signer and workflows that pay with it, each to a recipient of its own, and what became of the payments."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.chain: LocalChain = stack.chain
        self.actor: Actor = system(default_team(), "test")
        self.signer: Signer = signer_create(actor=self.actor, name="treasury")
        url = stack.receiver.discord_url()
        self.channel: Channel = channel_create(
            actor=self.actor, name="team", type="discord", config={"webhook_url": url}
        )
        self.chain.airdrop(self.signer.address, 10 * SOL)
        self.chain.warp(BLOCKS_TO_FINALITY)
        self.recipients: dict[str, str] = {}

    def event(self, name: str, *, dry_run: bool = False) -> int:
        """One event for a workflow of its own; returns the row id of its execution."""
        to, address = new_address(), new_address()
        definition = {
            "trigger": {"type": "balance_change", "address": address},
            "actions": [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}],
            "notifications": [{"channel": str(self.channel.id), "on": ["success", "failed"]}],
        }
        settings = {"name": name, "dry_run": dry_run}
        made = workflow_create(actor=self.actor, definition=definition, settings=settings, signer_id=self.signer.id)
        workflow: Workflow = workflow_enable(actor=self.actor, workflow=made, enabled_at_slot=0)
        if not dry_run:
            self.recipients[name] = to
        (row_id,) = take_events(workflow, [balance_event(address, 10)])
        return row_id

    def paid(self) -> dict[str, int]:
        """Lamports that arrived, by the name of the event."""
        return {name: self.chain.balance(to, "confirmed") for name, to in self.recipients.items()}

    def dies_at(self, point: str) -> None:
        """Wait until the worker has died."""
        wait_for(lambda: not self.stack.worker.running, LONG_PATIENCE_S, f"the worker dies at {point}")

    def everything_ends(self) -> None:
        """Wait until nothing is in work, in flight, or to be told, hurrying the chain to finality."""

        def done() -> bool:
            self.chain.warp(1)
            waiting = Execution.objects.exclude(status="success").exists()
            not_final = Attempt.objects.exclude(status__in=["finalized", "expired"]).exists()
            return not (waiting or not_final or Delivery.objects.filter(status="pending").exists())

        wait_for(done, 60, "everything has ended")

    def assert_sums_agree(self, outcomes: tuple[str, ...] = ("success",)) -> None:
        """Exactly one landed transaction, one completion, and one message (or marked) of each outcome for each event;
        no lamport is unexplained."""
        assert self.paid() == dict.fromkeys(self.recipients, PAYMENT)
        signed = Attempt.objects.order_by("id")
        landed = [one for one in signed if self.chain.status(one.signature, search_history=True)]
        assert len(landed) == len(self.recipients)
        assert {one.execution_id for one in landed} == set(signed.values_list("execution_id", flat=True))
        charges = list(Reservation.objects.values_list("status", "lamports"))
        assert charges == [("settled", PAYMENT + FEE)] * len(self.recipients)
        assert 10 * SOL - self.chain.balance(self.signer.address) == sum(lamports for _, lamports in charges)
        told = Delivery.objects.order_by("execution_id", "id").values_list("execution_id", "outcome")
        assert list(told) == [
            (row_id, outcome)
            for row_id in Execution.objects.order_by("id").values_list("id", flat=True)
            for outcome in outcomes
        ]
        repeats = Delivery.objects.filter(maybe_repeated=True).count()
        assert 0 <= len(self.stack.receiver.requests) - Delivery.objects.count() <= repeats


@pytest.fixture
def money(stack: Stack) -> Money:
    return Money(stack)


@pytest.fixture
def standing_chain(stack: Stack) -> Iterator[LocalChain]:
    """Slots end only when the test says so: however slow the machine is, nothing becomes final behind its back."""
    stack.chain.pause()
    yield stack.chain
    stack.chain.resume()


def sent_or_dead(stack: Stack, sent: QuerySet[Attempt]) -> bool:
    return sent.exists() or not stack.worker.running


def completions(row_id: int) -> int:
    names = [step["name"] for step in Execution.objects.get(pk=row_id).steps]
    return names.count("confirmed") - names.count("reverted")


def test_every_worker_point_is_in_one_of_these_tests() -> None:
    assert set(WORKER_POINTS) == {*ON_THE_WAY, "asking", "ending", "expiring", "expired", "parking", "reverting"}


@pytest.mark.timeout(300)
def test_a_worker_killed_at_every_step_of_a_payment_in_turn_pays_each_once(stack: Stack, money: Money) -> None:
    stack.start("beat")
    rows = []
    for point in WALKED:
        stack.worker.launch(SOLFLOW_CRASH_AT=point)
        rows.append(money.event(point))
        if point in ("finalizing", "finalized"):
            wait_for(lambda: Attempt.objects.filter(status="confirmed").exists(), PATIENCE_S, "something to finalize")
            money.chain.warp(BLOCKS_TO_FINALITY)
        money.dies_at(point)
    stack.start("worker")

    money.everything_ends()
    money.assert_sums_agree()
    assert [completions(row_id) for row_id in rows] == [1] * len(rows)


def test_a_worker_killed_while_it_ends_an_execution_without_a_payment_ends_it_once(stack: Stack, money: Money) -> None:
    """A dry run: one completion and one message, and nothing signed."""
    stack.start("worker", SOLFLOW_CRASH_AT="ending")
    stack.start("beat")
    row_id = money.event("dry", dry_run=True)

    money.dies_at("ending")
    assert Execution.objects.get(pk=row_id).status == "processing"
    stack.start("worker")

    money.everything_ends()
    money.assert_sums_agree()
    assert Attempt.objects.count() == 0


@pytest.mark.timeout(300)
def test_a_worker_killed_while_an_attempt_expires_or_is_parked_signs_anew_once(stack: Stack, money: Money) -> None:
    """What was sent never lands. It is proven dead, or nobody can say, and workers die over both."""
    stack.start("beat")
    money.chain.faults(never_land={})
    rows_sent = []
    for point in ("parking", "expiring", "expired"):
        stack.worker.launch(SOLFLOW_CRASH_AT=point)
        row_id = money.event(point)
        sent = Attempt.objects.filter(execution_id=row_id, sends__gt=0)
        # What the worker before left behind may have expired, and killed this one, before it has sent anything.
        wait_for(partial(sent_or_dead, stack, sent), PATIENCE_S, f"the bytes of {point} are sent")
        rows_sent += sent.values_list("execution_id", flat=True)
        if point == "parking":
            # Ten minutes without a word: the only node there is answers, and lags too far to say anything.
            with transaction.atomic():
                sent.update(signed_at="2020-01-01T00:00:00Z")
            money.chain.faults(lag={"blocks": 100, "methods": ["getSignatureStatuses"]})
        money.chain.warp(BLOCKS_TO_EXPIRY)
        money.dies_at(point)
        assert Attempt.objects.filter(status="expired").exists() == (point == "expired")
        money.chain.clear_faults("lag")
    money.chain.clear_faults()
    stack.start("worker")

    money.everything_ends()
    money.assert_sums_agree()
    landed = Attempt.objects.filter(status="finalized", execution_id__in=rows_sent)
    assert all(number > 1 for number in landed.values_list("number", flat=True))


def test_a_worker_killed_while_it_takes_a_confirmation_back_pays_once(
    stack: Stack, money: Money, standing_chain: LocalChain
) -> None:
    """A fork takes the payment back, and the worker dies while it writes that down."""
    stack.start("worker", SOLFLOW_CRASH_AT="reverting")
    stack.start("beat")
    row_id = money.event("forked")
    wait_for(lambda: Attempt.objects.filter(sends__gt=0).exists(), PATIENCE_S, "it is sent")
    standing_chain.warp(BLOCKS_TO_CONFIRMATION)
    wait_for(lambda: Execution.objects.get(pk=row_id).status == "success", PATIENCE_S, "it is confirmed")

    standing_chain.rollback(BLOCKS_TO_CONFIRMATION + 1)
    standing_chain.warp(BLOCKS_TO_REVERT)
    money.dies_at("reverting")
    assert Execution.objects.get(pk=row_id).status == "success"
    stack.start("worker")
    wait_for(lambda: Execution.objects.get(pk=row_id).status == "processing", PATIENCE_S, "it is taken back")
    standing_chain.warp(BLOCKS_TO_EXPIRY)

    money.everything_ends()
    money.assert_sums_agree(outcomes=("success", "reverted", "success"))
    assert completions(row_id) == 1
