"""Landing under trouble: lost answers, transactions that never land, expiry, forks. One payment, or proof of none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.actors import Actor
from accounts.errors import Refused
from chain.types import SignatureStatus
from executions import attempts, claims, submit
from executions.attempts import mark_sending
from executions.confirm import confirm_round, finalize_round, record_landed
from executions.models import Attempt, Execution, Reservation
from executions.pipeline import advance
from executions.services import execution_retry
from tests.executing import balance_event, execution, new_address, settled, take_events
from tests.local_chain import LocalChain
from tests.waiting import wait_for
from workflows.models import Signer, Workflow

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000
BLOCKS_A_BLOCKHASH_LIVES = 150


@pytest.fixture
def pay(make_workflow: Callable[..., Workflow]) -> Callable[[], tuple[int, str]]:
    """An event that pays, taken in but not advanced: the row and the recipient."""

    def begin() -> tuple[int, str]:
        watched, to = new_address(), new_address()
        workflow = make_workflow(watched, [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}])
        (row_id,) = take_events(workflow, [balance_event(watched, 10)])
        return row_id, to

    return begin


def rounds_until(condition: Callable[[], Any], what: str) -> Any:
    """Confirmation rounds until something is so."""

    def after_a_round() -> Any:
        confirm_round()
        return condition()

    return wait_for(after_a_round, 30, what)


def emptying(signer: Signer, chain: LocalChain) -> Callable[[list[Attempt]], list[Attempt]]:
    """`mark_sending` with somebody else spending what the signer has between the simulation and the send."""

    def mark(rows: list[Attempt]) -> list[Attempt]:
        chain.set_account(signer.address, lamports=900_000)
        return mark_sending(rows)

    return mark


def test_a_lost_answer_to_the_send_pays_once(pay: Callable[[], tuple[int, str]], chain: LocalChain) -> None:
    """It landed although nobody said so; the same bytes are asked about, not signed again."""
    row_id, to = pay()
    chain.faults(lose_answer={"methods": ["sendTransaction"], "next": 1})

    advance([row_id])

    assert settled(row_id).status == "success"
    assert Attempt.objects.filter(execution_id=row_id).count() == 1
    assert chain.balance(to) == PAYMENT


def test_what_the_node_threw_away_is_sent_again(pay: Callable[[], tuple[int, str]], chain: LocalChain) -> None:
    """The same bytes, two seconds later; no second signature."""
    row_id, to = pay()
    chain.faults(never_land={"next": 1})

    advance([row_id])

    assert settled(row_id).status == "success"
    attempt = Attempt.objects.get(execution_id=row_id)
    assert attempt.sends >= 2
    assert chain.balance(to) == PAYMENT


def test_an_expired_attempt_is_signed_anew_only_with_proof(
    pay: Callable[[], tuple[int, str]], chain: LocalChain
) -> None:
    """The finalized height has passed and the node has twice not known it, some slots apart: then a new signature."""
    row_id, to = pay()
    chain.faults(never_land={})
    advance([row_id])
    chain.warp(BLOCKS_A_BLOCKHASH_LIVES + 40)

    rounds_until(lambda: Attempt.objects.get(execution_id=row_id, number=1).status == "expired", "the first is expired")
    assert execution(row_id).status == "pending"
    assert Reservation.objects.get(execution_id=row_id).status == "reserved"
    chain.clear_faults()
    advance([row_id])

    assert settled(row_id).status == "success"
    assert Attempt.objects.get(execution_id=row_id, number=1).status == "expired"
    assert chain.balance(to) == PAYMENT
    assert Reservation.objects.get(execution_id=row_id).lamports == PAYMENT + 5_000


def test_a_node_that_answers_with_errors_proves_nothing(pay: Callable[[], tuple[int, str]], chain: LocalChain) -> None:
    """Too old, but nobody says "unknown": the attempt stays in flight, its reservation is kept."""
    row_id, _ = pay()
    chain.faults(never_land={})
    advance([row_id])
    chain.warp(BLOCKS_A_BLOCKHASH_LIVES + 40)
    chain.faults(never_land={}, server_error={"methods": ["getSignatureStatuses"]})

    for _ in range(5):
        confirm_round()

    assert Attempt.objects.get(execution_id=row_id).status == "sent"
    assert execution(row_id).waiting_for == "confirmation"
    assert Reservation.objects.get(execution_id=row_id).status == "reserved"


def test_429_for_a_while_costs_a_while(pay: Callable[[], tuple[int, str]], chain: LocalChain) -> None:
    """An execution that meets a rate limit before it signed is given back and paid later."""
    row_id, to = pay()
    chain.faults(rate_limit={})
    advance([row_id])
    assert execution(row_id).status == "pending"
    chain.clear_faults()

    wait_for(lambda: advance([row_id]) and Attempt.objects.filter(execution_id=row_id).exists(), 20, "it is signed")

    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT


def test_a_confirmed_payment_becomes_final(pay: Callable[[], tuple[int, str]], chain: LocalChain) -> None:
    """The step is written when no fork can take it back."""
    row_id, _ = pay()
    advance([row_id])
    assert settled(row_id).status == "success"
    chain.warp(40)

    wait_for(finalize_round, 10, "the attempt is final")

    assert Attempt.objects.get(execution_id=row_id).status == "finalized"
    assert [step["name"] for step in execution(row_id).steps][-1] == "finalized"


def test_a_payment_that_a_fork_took_back_is_in_flight_again(
    pay: Callable[[], tuple[int, str]], chain: LocalChain
) -> None:
    """Confirmed, then gone: the execution says `reverted`. The fork took the blockhash too, so it is signed anew, with
    proof."""
    chain.warp(40)
    row_id, to = pay()
    advance([row_id])
    assert settled(row_id).status == "success"
    chain.rollback(12)
    chain.faults(never_land={})
    chain.warp(60)

    wait_for(lambda: finalize_round() or execution(row_id).status == "processing", 10, "it is reverted")

    assert "reverted" in [step["name"] for step in execution(row_id).steps]
    assert chain.balance(to) == 0
    chain.clear_faults()
    rounds_until(lambda: advance([row_id]) or execution(row_id).status == "success", "it is paid again")
    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT


def test_what_another_fork_made_of_it_is_what_is_recorded(
    pay: Callable[[], tuple[int, str]], chain: LocalChain
) -> None:
    """Seen failing at `confirmed`, final as a success: the record goes back, the reservation is whole again meanwhile,
    and the end is what the chain says."""
    row_id, to = pay()
    advance([row_id])
    attempt = Attempt.objects.get(execution_id=row_id)
    record_landed([(attempt, SignatureStatus(chain.slot() + 1, {"InstructionError": [0, "Custom"]}, "confirmed"))])
    assert execution(row_id).status == "failed"
    chain.wait_for_status(attempt.signature)
    chain.warp(40)

    wait_for(lambda: finalize_round() or execution(row_id).status == "processing", 10, "it is reverted")

    reservation = Reservation.objects.get(execution_id=row_id)
    assert (reservation.status, reservation.lamports) == ("reserved", PAYMENT + 5_000)
    assert settled(row_id).status == "success"
    wait_for(finalize_round, 10, "the attempt is final")
    assert chain.balance(to) == PAYMENT


def test_a_transaction_that_fails_on_chain_ends_failed_with_its_fee(
    pay: Callable[[], tuple[int, str]], chain: LocalChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the simulation promised no longer holds when it lands: the fee is gone and is accounted for."""
    row_id, to = pay()
    signer = execution(row_id).workflow.signer
    monkeypatch.setattr(attempts, "mark_sending", emptying(signer, chain))
    advance([row_id])

    row = settled(row_id)
    assert (row.status, row.error_code) == ("failed", "transaction_failed")
    assert Reservation.objects.get(execution_id=row_id).lamports == 5_000
    assert chain.balance(to) == 0


def test_a_retry_after_a_failure_on_chain_keeps_the_fee_in_the_ledger(
    pay: Callable[[], tuple[int, str]], chain: LocalChain, monkeypatch: pytest.MonkeyPatch, actor: Actor
) -> None:
    """The first transaction cost its fee, the second fee and payment; both stand."""
    row_id, to = pay()
    signer = execution(row_id).workflow.signer
    with monkeypatch.context() as patched:
        patched.setattr(attempts, "mark_sending", emptying(signer, chain))
        advance([row_id])
    assert settled(row_id).error_code == "transaction_failed"
    with pytest.raises(Refused, match="not final yet"):
        execution_retry(actor=actor, execution=execution(row_id))
    chain.warp(40)
    wait_for(finalize_round, 10, "the failure is final")
    chain.airdrop(signer.address, 10_000_000)

    execution_retry(actor=actor, execution=execution(row_id))
    advance([row_id])

    assert settled(row_id).status == "success"
    assert sorted(Reservation.objects.values_list("lamports", flat=True)) == [5_000, PAYMENT + 5_000]
    assert chain.balance(to) == PAYMENT


def test_a_database_that_goes_away_while_an_execution_is_in_hand_fails_nothing(
    pay: Callable[[], tuple[int, str]], chain: LocalChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease runs out, and the next worker pays."""
    row_id, to = pay()

    def gone(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patched:
        patched.setattr(submit, "write_ahead", gone)
        advance([row_id])
    assert execution(row_id).status == "processing"
    assert row_id not in claims.due(10)
    Execution.objects.update(lease_until=timezone.now())

    assert row_id in claims.due(10)
    advance([row_id])

    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT
