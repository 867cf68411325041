"""The listener killed at every named step, beat killed and doubled, Redis emptied, PostgreSQL stopped: a delay, and
nothing else. From an event on the chain to its payment, through all of SolFlow's processes.
"""

from __future__ import annotations

from signal import SIGINT, SIGQUIT, Signals

import pytest
from django.db import connections
from solders.keypair import Keypair

from accounts.actors import Actor, system
from accounts.services import default_team
from chain.tx.instructions import MEMO_PROGRAM
from executions.crashpoints import LISTENER_POINTS
from executions.models import Attempt, Execution, Heartbeat, Reservation
from listener.models import Gap
from listener.services import workflow_enable
from tests.executing import SOL, new_address
from tests.local_chain import LocalChain
from tests.services import Services
from tests.stack import Stack
from tests.waiting import wait_for
from tests.watching import memo_transaction
from workflows.models import Signer, Workflow
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

PAYMENT = 900_000
FEE = 5_000
DEPOSIT = 1_000_000
PATIENCE_S = 30.0


class Shop:
    """Each memo `order …` is paid once; one account's deposits are watched and each of its events is paid once too."""

    def __init__(self, stack: Stack) -> None:
        self.chain: LocalChain = stack.chain
        self.actor: Actor = system(default_team(), "test")
        self.signer: Signer = signer_create(actor=self.actor, name="treasury")
        self.customer = Keypair()
        self.chain.airdrop(self.signer.address, 10 * SOL)
        self.chain.wait_for_status(self.chain.airdrop(self.customer.pubkey(), SOL))
        self.account, self.for_orders, self.for_deposits = new_address(), new_address(), new_address()
        self.orders = self._pays({"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": "^order"}, "for_orders")
        self.deposits = self._pays({"type": "balance_change", "address": self.account}, "for_deposits")
        self.signatures: set[str] = set()
        self.deposited = 0

    def _pays(self, trigger: dict[str, object], to: str) -> Workflow:
        action = {"type": "transfer_sol", "to": getattr(self, to), "lamports": PAYMENT}
        made = workflow_create(
            actor=self.actor,
            definition={"trigger": trigger, "actions": [action]},
            settings={"name": to, "max_executions_per_hour": 1000},
            signer_id=self.signer.id,
        )
        return workflow_enable(actor=self.actor, workflow=made)

    def order(self, name: str) -> str:
        """An order on the chain; returns its signature."""
        signature = memo_transaction(self.chain, self.customer, f"order {name}")
        self.signatures.add(signature)
        return signature

    def deposit(self) -> None:
        self.chain.airdrop(self.account, DEPOSIT)
        self.deposited += DEPOSIT

    def wait_until_seen(self) -> None:
        """Wait until there is an execution for every order, and executions for all that was deposited."""

        def seen() -> bool:
            events = Execution.objects.filter(workflow=self.deposits).values_list("event", flat=True)
            orders = Execution.objects.filter(workflow=self.orders)
            return orders.count() == len(self.signatures) and self.deposited == sum(
                event["lamports_delta"] for event in events
            )

        wait_for(seen, PATIENCE_S, "every event has an execution")

    def wait_until_paid(self) -> None:
        self.wait_until_seen()
        wait_for(lambda: not Execution.objects.exclude(status="success").exists(), 60, "every execution succeeds")

    def assert_sums_agree(self) -> None:
        """One execution for each order, one payment for each execution, no lamport unexplained, no gap left."""
        orders = Execution.objects.filter(workflow=self.orders).values_list("event", flat=True)
        assert sorted(event["signature"] for event in orders) == sorted(self.signatures)
        assert self.chain.balance(self.for_orders, "confirmed") == PAYMENT * len(self.signatures)
        deposits = Execution.objects.filter(workflow=self.deposits).count()
        assert self.chain.balance(self.for_deposits, "confirmed") == PAYMENT * deposits
        landed = [one for one in Attempt.objects.all() if self.chain.status(one.signature, search_history=True)]
        assert len(landed) == len(self.signatures) + deposits
        assert 10 * SOL - self.chain.balance(self.signer.address) == len(landed) * (PAYMENT + FEE)
        assert set(Reservation.objects.values_list("status", "lamports")) == {("settled", PAYMENT + FEE)}
        wait_for(lambda: not Gap.objects.exclude(status="filled").exists(), PATIENCE_S, "every gap is filled")


@pytest.fixture
def shop(stack: Stack, local_gateway: LocalChain) -> Shop:
    return Shop(stack)


def covers_both() -> bool:
    return Heartbeat.objects.filter(kind="listener", detail__covered=2).exists()


def test_a_listener_killed_at_every_step_in_turn_loses_and_repeats_nothing(stack: Stack, shop: Shop) -> None:
    """Each listener dies at another point with events before, at and after it; the next one reads back."""
    stack.start("worker", "beat")
    for point in LISTENER_POINTS:
        shop.order(f"before {point}")
        shop.deposit()
        stack.listener.launch(SOLFLOW_CRASH_AT=point)

        def died(point: str = point) -> bool:
            # Whatever the point is about happens again and again until it is reached.
            shop.deposit()
            shop.chain.wait_for_status(shop.order(f"until {point} {len(shop.signatures)}"))
            return not stack.listener.running

        wait_for(died, PATIENCE_S, f"the listener dies at {point}")
    stack.start("listener")

    shop.wait_until_paid()
    shop.assert_sums_agree()


def test_without_beat_payments_are_sent_and_two_beats_confirm_them_once(stack: Stack, shop: Shop) -> None:
    stack.start("worker", "listener", "beat")
    wait_for(covers_both, PATIENCE_S, "the listener covers both")
    stack.beat.kill()
    shop.order("without beat")
    wait_for(lambda: Attempt.objects.filter(status="sent").exists(), PATIENCE_S, "it is sent")
    assert Execution.objects.get().status == "processing"

    stack.beat.launch()
    second = stack.another_beat()
    second.launch()
    shop.order("with two beats")
    shop.deposit()

    shop.wait_until_paid()
    shop.assert_sums_agree()


def in_flight(stack: Stack, shop: Shop) -> None:
    """SolFlow at work, with an order whose payment was accepted and thrown away: only a rebroadcast can land it."""
    # An endpoint of its own, whose faults leave the orders alone.
    stack.start("worker", "listener", "beat", SOLANA_RPC_URLS=f"{shop.chain.rpc_url}/solflow")
    wait_for(covers_both, PATIENCE_S, "the listener covers both")
    shop.chain.faults(never_land={"paths": ["/solflow"]})
    shop.order("in flight")
    wait_for(lambda: Attempt.objects.filter(sends__gt=0).exists(), PATIENCE_S, "it is sent")


def test_a_redis_that_lost_everything_costs_a_delay(stack: Stack, shop: Shop, services: Services) -> None:
    """It dies with a payment in flight, events come while it is away, and an empty one takes its place."""
    in_flight(stack, shop)

    services.redis.kill()
    shop.order("while it is away")
    shop.deposit()
    shop.wait_until_seen()
    services.forget_redis()
    services.redis.start()
    shop.chain.clear_faults()
    shop.order("afterwards")

    shop.wait_until_paid()
    shop.assert_sums_agree()


@pytest.mark.parametrize("number", [SIGINT, SIGQUIT], ids=["fast", "immediate"])
def test_a_postgresql_that_is_stopped_and_started_costs_a_delay(
    number: Signals, stack: Stack, shop: Shop, services: Services
) -> None:
    in_flight(stack, shop)

    services.postgres.send(number)
    services.postgres.wait_until_dead()
    shop.order("while it is away")
    shop.deposit()
    connections.close_all()
    services.postgres.start()
    shop.chain.clear_faults()
    shop.order("afterwards")

    shop.wait_until_paid()
    shop.assert_sums_agree()
