"""A burst: two hundred accounts change at once, every change pays the same amount to the same recipient."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair

from accounts.actors import system
from accounts.services import default_team
from executions.models import Attempt, Execution, Reservation
from listener.services import workflow_enable
from tests.executing import SOL
from tests.stack import Stack
from tests.waiting import wait_for
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNTS = 200
PAYMENT = 900_000
DEPOSIT = 10_000_000


@pytest.mark.timeout(300)
def test_two_hundred_events_in_one_burst_land_two_hundred_payments(stack: Stack, local_gateway: None) -> None:
    """One execution and one landed transaction for each; the signer's balance is explained to the lamport."""
    actor = system(default_team(), "test")
    signer = signer_create(actor=actor, name="treasury")
    stack.chain.airdrop(signer.address, 10 * SOL)
    recipient = str(Keypair().pubkey())
    watched = [str(Keypair().pubkey()) for _ in range(ACCOUNTS)]
    for address in watched:
        definition = {
            "trigger": {"type": "balance_change", "address": address},
            "actions": [{"type": "transfer_sol", "to": recipient, "lamports": PAYMENT}],
        }
        workflow = workflow_create(
            actor=actor, definition=definition, settings={"name": address[:8]}, signer_id=signer.id
        )
        workflow_enable(actor=actor, workflow=workflow)
    stack.start()

    for address in watched:
        stack.chain.airdrop(address, DEPOSIT)

    wait_for(lambda: Execution.objects.filter(status="success").count() == ACCOUNTS, 120, "all executions succeed")
    assert Execution.objects.count() == ACCOUNTS
    assert Attempt.objects.count() == ACCOUNTS
    assert set(Attempt.objects.values_list("status", flat=True)) <= {"confirmed", "finalized"}
    assert stack.chain.balance(recipient) == ACCOUNTS * PAYMENT
    spent = 10 * SOL - stack.chain.balance(signer.address)
    assert spent == ACCOUNTS * (PAYMENT + 5_000)
    assert spent == sum(Reservation.objects.filter(status="settled").values_list("lamports", flat=True))
