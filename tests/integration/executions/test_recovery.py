"""Payments that the chain has and this database forgot: recorded as done, whatever their rows say, never made again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor, system
from accounts.services import default_team
from executions import claims, histories, pipeline, recovery, submit
from executions.confirm import finalize_round
from executions.models import Attempt, Delivery, LandedMemo, RateUnit, Reservation
from executions.pauses import installation_pause
from executions.pipeline import advance
from executions.recovery import Adoption, Landed
from executions.services import execution_retry
from tests.executing import balance_event, execution, new_address, settled, take_events
from tests.forgotten import finalized, forgotten_payment
from tests.local_chain import LocalChain
from tests.waiting import wait_for
from workflows.models import Signer, Workflow
from workflows.services.channel import channel_create

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000
FEE = 5_000


@pytest.fixture
def pay(make_workflow: Callable[..., Workflow], actor: Actor) -> Callable[..., tuple[int, str]]:
    """An event that pays and tells a channel, taken in but not advanced: the row and the recipient."""

    def begin(*, event_before: bool = False, **settings: Any) -> tuple[int, str]:
        watched, to = new_address(), new_address()
        channel = channel_create(
            actor=actor,
            name=to[:8],
            type="discord",
            config={"webhook_url": f"https://discord.com/api/webhooks/1/{to}"},
        )
        workflow = make_workflow(
            watched,
            [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}],
            parts={"notifications": [{"channel": str(channel.id), "on": ["success", "failed"]}]},
            **settings,
        )
        events = [balance_event(watched, 9)] if event_before else []
        row_id = take_events(workflow, [*events, balance_event(watched, 10)])[-1]
        return row_id, to

    return begin


def found(signer: Signer) -> list[Landed]:
    """What the signer's history holds that no ledger knows, oldest first."""
    rows = histories.whole_since(signer, histories.bound_of(signer))
    return recovery.look_up(signer, recovery.unknown_among(rows)[::-1])


def adopt_all(signer: Signer) -> list[Adoption]:
    return [recovery.adopt(one) for one in found(signer)]


def assert_recorded_as_paid(row_id: int, signature: str) -> None:
    row = execution(row_id)
    assert (row.status, row.waiting_for, row.error_code) == ("success", None, "")
    confirmed = next(step for step in row.steps if step["name"] == "confirmed")
    assert confirmed["detail"]["signature"] == signature
    assert confirmed["detail"]["recovered"] is True
    attempt = Attempt.objects.get(execution_id=row_id, signature=signature)
    assert (attempt.status, attempt.recovered, attempt.fee_lamports) == ("confirmed", True, FEE)
    charge = Reservation.objects.get(execution_id=row_id)
    assert (charge.status, charge.lamports) == ("settled", PAYMENT + FEE)
    assert RateUnit.objects.filter(execution_id=row_id).exists()


def leave_pending(row_id: int) -> None:
    """As the event's transaction left it."""


def leave_in_work(row_id: int) -> None:
    """A worker has a lease on it."""
    with transaction.atomic():
        claims.lease(claims.hold([row_id]))


def leave_paused(row_id: int) -> None:
    """It waits for the lift of a pause."""
    installation_pause(actor=system(default_team(), "test"), reason="restored")
    advance([row_id])
    assert execution(row_id).waiting_for == "pause"


def leave_failed(row_id: int) -> None:
    """It failed before anything was signed; a person retried it after the backup."""
    Workflow.objects.update(max_lamports_per_tx=1)
    advance([row_id])
    assert execution(row_id).status == "failed"


@pytest.mark.parametrize("leave", [leave_pending, leave_in_work, leave_paused, leave_failed])
def test_a_forgotten_payment_is_recorded_as_done_whatever_its_row_says(
    leave: Callable[[int], None], pay: Callable[..., tuple[int, str]], signer: Signer, chain: LocalChain
) -> None:
    """Attempt, settled reservation, unit of the rate, completion and message; a second time nothing changes."""
    row_id, to = pay()
    signature = finalized(chain, forgotten_payment(chain, signer, execution(row_id).execution_id, to, PAYMENT))
    leave(row_id)
    Delivery.objects.all().delete()
    (landed,) = found(signer)

    assert recovery.adopt(landed) is Adoption.RECORDED

    assert_recorded_as_paid(row_id, signature)
    delivery = Delivery.objects.get(execution_id=row_id)
    assert (delivery.outcome, delivery.maybe_repeated) == ("success", True)
    assert recovery.adopt(landed) is Adoption.KNOWN
    assert found(signer) == []
    advance([row_id])
    assert chain.balance(to) == PAYMENT
    assert Attempt.objects.count() == 1


def test_a_forgotten_payment_of_a_throttled_execution_is_recorded_as_done(
    pay: Callable[..., tuple[int, str]], signer: Signer, chain: LocalChain
) -> None:
    """A person had retried it after the backup."""
    row_id, to = pay(event_before=True, max_executions_per_hour=1)
    Workflow.objects.update(max_lamports_per_tx=10_000_000)
    advance([row_id - 1, row_id])
    assert execution(row_id).status == "throttled"
    signature = finalized(chain, forgotten_payment(chain, signer, execution(row_id).execution_id, to, PAYMENT))
    settled(row_id - 1)

    assert adopt_all(signer) == [Adoption.RECORDED]

    assert_recorded_as_paid(row_id, signature)


def test_a_recovered_payment_becomes_final_like_any_other(
    pay: Callable[..., tuple[int, str]], signer: Signer, chain: LocalChain
) -> None:
    """The ordinary round records it."""
    row_id, to = pay()
    finalized(chain, forgotten_payment(chain, signer, execution(row_id).execution_id, to, PAYMENT))
    adopt_all(signer)

    wait_for(finalize_round, 10, "it is final")

    assert Attempt.objects.get(execution_id=row_id).status == "finalized"


def test_a_worker_that_had_it_in_hand_signs_nothing_more(
    pay: Callable[..., tuple[int, str]], signer: Signer, chain: LocalChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The payment is found while a worker has simulated its own: the lease is gone when that wants to sign."""
    row_id, to = pay()
    finalized(chain, forgotten_payment(chain, signer, execution(row_id).execution_id, to, PAYMENT))
    simulate = submit.simulate

    def simulate_slowly(*args: Any) -> Any:
        simulated = simulate(*args)
        assert adopt_all(signer) == [Adoption.RECORDED]
        return simulated

    monkeypatch.setattr(pipeline.submit, "simulate", simulate_slowly)
    advance([row_id])

    assert Attempt.objects.count() == 1
    assert chain.balance(to) == PAYMENT


def test_a_failed_transaction_and_its_retry_are_recorded_in_their_order(
    pay: Callable[..., tuple[int, str]], signer: Signer, chain: LocalChain
) -> None:
    """The first landed and failed, the second paid: the fee of the first stands in the ledger beside the payment."""
    row_id, to = pay()
    execution_id = execution(row_id).execution_id
    failed = forgotten_payment(chain, signer, execution_id, to, 1_000 * 10**9)
    paid = finalized(chain, forgotten_payment(chain, signer, execution_id, to, PAYMENT, number=2))

    assert adopt_all(signer) == [Adoption.RECORDED, Adoption.RECORDED]

    assert execution(row_id).status == "success"
    assert dict(Attempt.objects.values_list("signature", "status")) == {failed: "failed", paid: "confirmed"}
    assert sorted(Reservation.objects.values_list("lamports", flat=True)) == [FEE, PAYMENT + FEE]


def test_a_payment_beside_one_that_is_known_is_put_into_the_ledger(
    pay: Callable[..., tuple[int, str]], signer: Signer, chain: LocalChain
) -> None:
    """A copy that went on unnoticed has paid twice: both are in the ledger, with numbers of their own."""
    row_id, to = pay()
    advance([row_id])
    settled(row_id)
    finalized(chain, forgotten_payment(chain, signer, execution(row_id).execution_id, to, PAYMENT))

    assert adopt_all(signer) == [Adoption.RECORDED]

    assert execution(row_id).status == "success"
    assert list(Attempt.objects.order_by("number").values_list("number", "recovered")) == [(1, False), (2, True)]
    assert list(Reservation.objects.values_list("status", "lamports")) == [("settled", PAYMENT + FEE)] * 2


def test_an_event_that_comes_back_finds_that_it_was_paid(
    make_workflow: Callable[..., Workflow], signer: Signer, chain: LocalChain
) -> None:
    """Its memo was kept, because the execution was not here; the execution is done as soon as a worker holds it."""
    watched, to = new_address(), new_address()
    workflow = make_workflow(watched, [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}])
    execution_id = hashlib.sha256(f"{workflow.id}|10|{watched}|0".encode()).hexdigest()
    signature = finalized(chain, forgotten_payment(chain, signer, execution_id, to, PAYMENT))
    assert adopt_all(signer) == [Adoption.KEPT]
    assert LandedMemo.objects.get().prefix == execution_id[:16]

    (row_id,) = take_events(workflow, [balance_event(watched, 10)])
    hold_and_adopt(row_id)

    assert execution(row_id).status == "success"
    assert not LandedMemo.objects.exists()
    reserved = Reservation.objects.get()
    assert (reserved.status, reserved.lamports) == ("reserved", workflow.max_lamports_per_tx)
    wait_for(finalize_round, 10, "it is final")
    reserved.refresh_from_db()
    assert (reserved.status, reserved.lamports) == ("settled", PAYMENT + FEE)
    assert Attempt.objects.get().signature == signature
    assert execution(row_id).workflow.paused_at is None
    advance([row_id])
    assert chain.balance(to) == PAYMENT


def test_a_person_may_retry_what_came_back_as_failed(
    make_workflow: Callable[..., Workflow], signer: Signer, chain: LocalChain, actor: Actor
) -> None:
    """The kept memo is used up: it does not end the retry as it ended the first try."""
    watched, to = new_address(), new_address()
    workflow = make_workflow(watched, [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}])
    execution_id = hashlib.sha256(f"{workflow.id}|10|{watched}|0".encode()).hexdigest()
    finalized(chain, forgotten_payment(chain, signer, execution_id, to, 1_000 * 10**9))
    adopt_all(signer)
    (row_id,) = take_events(workflow, [balance_event(watched, 10)])
    hold_and_adopt(row_id)
    assert execution(row_id).error_code == "transaction_failed"
    wait_for(finalize_round, 10, "the failure is final")

    execution_retry(actor=actor, execution=execution(row_id))
    advance([row_id])

    assert settled(row_id).status == "success"
    assert Attempt.objects.get(execution_id=row_id, recovered=False).number == 2
    assert chain.balance(to) == PAYMENT


def hold_and_adopt(row_id: int) -> None:
    """What executions.pipeline does first with what it holds."""
    with transaction.atomic():
        recovery.adopt_known(claims.hold([row_id]))


def test_the_time_of_a_forgotten_payment_is_that_of_the_chain(
    pay: Callable[..., tuple[int, str]], signer: Signer, chain: LocalChain
) -> None:
    """The rolling day and hour count it where it happened, not when it was found."""
    row_id, to = pay()
    before = timezone.now()
    finalized(chain, forgotten_payment(chain, signer, execution(row_id).execution_id, to, PAYMENT))
    landed_by = timezone.now()
    adopt_all(signer)

    assert before.replace(microsecond=0) <= Reservation.objects.get().at <= landed_by
