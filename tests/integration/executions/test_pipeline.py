"""Executions from intake to their end, in this process, on a real chain and a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import AuditEntry
from executions import claims, dispatch, pauses
from executions.models import Attempt, Execution, RateUnit, Reservation
from executions.pipeline import advance
from executions.services import execution_replay, execution_retry
from tests.executing import SOL, balance_event, execution, new_address, settled, take_events
from tests.local_chain import LocalChain
from tests.waiting import wait_for
from workflows.models import Signer, Workflow

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000


def transfer(to: str, lamports: int | str = PAYMENT) -> list[dict[str, object]]:
    return [{"type": "transfer_sol", "to": to, "lamports": lamports}]


def test_an_event_becomes_one_payment_that_the_chain_confirms(
    make_workflow: Callable[..., Workflow], chain: LocalChain
) -> None:
    """Detected, passed, simulated, signed, sent, confirmed; the recipient has the amount, the ledger the true fee."""
    watched, to = new_address(), new_address()
    (row_id,) = take_events(make_workflow(watched, transfer(to)), [balance_event(watched, 10)])

    advance([row_id])
    row = settled(row_id)

    assert row.status == "success", row.error_detail
    assert chain.balance(to) == PAYMENT
    names = [step["name"] for step in row.steps]
    assert names == ["detected", "queued", "passed", "limits", "simulated", "signed", "sent", "confirmed"]
    attempt = Attempt.objects.get(execution_id=row_id)
    assert (attempt.status, attempt.fee_lamports) == ("confirmed", 5_000)
    assert Reservation.objects.get(execution_id=row_id).lamports == PAYMENT + 5_000


def test_the_same_event_twice_makes_one_execution(make_workflow: Callable[..., Workflow]) -> None:
    """The key decides, within one batch and between batches."""
    watched = new_address()
    workflow = make_workflow(watched, transfer(new_address()))
    event = balance_event(watched, 10)

    assert len(take_events(workflow, [event, event])) == 1
    assert take_events(workflow, [event]) == []
    assert Execution.objects.count() == 1


def test_a_second_delivery_of_a_task_finds_nothing_to_do(
    make_workflow: Callable[..., Workflow], chain: LocalChain
) -> None:
    """Advancing the same ids again pays nothing again."""
    watched, to = new_address(), new_address()
    (row_id,) = take_events(make_workflow(watched, transfer(to)), [balance_event(watched, 10)])

    assert [advance([row_id]), advance([row_id]), advance([row_id])] == [1, 0, 0]

    assert settled(row_id).status == "success"
    assert advance([row_id]) == 0
    assert chain.balance(to) == PAYMENT


def test_a_filtered_event_sends_nothing_and_says_why(make_workflow: Callable[..., Workflow], chain: LocalChain) -> None:
    """The trace holds what the condition saw."""
    watched, to = new_address(), new_address()
    parts = {"filter": {"field": "event.lamports_delta", "op": "gt", "value": 2 * SOL}}
    (row_id,) = take_events(make_workflow(watched, transfer(to), parts=parts), [balance_event(watched, 10)])

    advance([row_id])

    row = execution(row_id)
    assert (row.status, row.filter_trace["saw"]) == ("filtered", SOL)
    assert not Attempt.objects.exists()
    assert not RateUnit.objects.exists()


def test_more_than_the_limit_is_refused_before_signing(make_workflow: Callable[..., Workflow]) -> None:
    """A template's result passes the same limit as a literal, and the figures are in the error."""
    watched = new_address()
    workflow = make_workflow(watched, transfer(new_address(), "{{ event.lamports_delta // 2 }}"))
    (row_id,) = take_events(workflow, [balance_event(watched, 10)])

    advance([row_id])

    row = execution(row_id)
    assert (row.status, row.error_code) == ("failed", "limit_exceeded")
    assert "500005000 lamports would leave" in row.error_detail
    assert not Attempt.objects.exists()
    assert not Reservation.objects.exists()
    assert not RateUnit.objects.exists()


def test_above_the_hourly_rate_executions_are_throttled(
    make_workflow: Callable[..., Workflow], chain: LocalChain
) -> None:
    """Three may pay, in the order in which they came; the rest is final and says so."""
    watched, to = new_address(), new_address()
    workflow = make_workflow(watched, transfer(to), max_executions_per_hour=3)
    ids = take_events(workflow, [balance_event(watched, slot) for slot in range(10, 15)])

    advance(ids)

    assert [settled(row_id).status for row_id in ids] == ["success"] * 3 + ["throttled"] * 2
    assert chain.balance(to) == 3 * PAYMENT


def test_equal_payments_at_once_all_land(
    make_workflow: Callable[..., Workflow], chain: LocalChain, signer: Signer
) -> None:
    """Same amount, same recipient, same cached blockhash: the memo makes each a transaction of its own."""
    watched, to = new_address(), new_address()
    workflow = make_workflow(watched, transfer(to))
    before = chain.balance(signer.address)
    ids = take_events(workflow, [balance_event(watched, slot) for slot in range(10, 30)])

    advance(ids)

    assert {settled(row_id).status for row_id in ids} == {"success"}
    assert chain.balance(to) == 20 * PAYMENT
    assert before - chain.balance(signer.address) == sum(Reservation.objects.values_list("lamports", flat=True))


def test_an_ordered_workflow_runs_its_events_one_after_another(
    make_workflow: Callable[..., Workflow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the first is taken; its end wakes the next, so that nobody waits for the sweeper."""
    watched = new_address()
    workflow = make_workflow(watched, [], ordered=True)
    ids = take_events(workflow, [balance_event(watched, slot) for slot in (10, 11, 12)])
    woken: list[int] = []
    monkeypatch.setattr(dispatch, "wake", woken.extend)

    assert advance(ids) == 1
    assert set(ids[1:]).isdisjoint(claims.due(10))
    while woken:
        advance([woken.pop()])

    ended = Execution.objects.order_by("completed_at").values_list("id", "status")
    assert list(ended) == [(row_id, "success") for row_id in ids]


def test_what_a_worker_reserved_before_it_died_is_free_again_when_the_event_is_refused(
    make_workflow: Callable[..., Workflow],
) -> None:
    watched = new_address()
    workflow = make_workflow(watched, transfer(new_address()), max_event_age_s=1)
    (row_id,) = take_events(workflow, [balance_event(watched, 10)])
    Reservation.objects.create(
        execution_id=row_id, workflow=workflow, signer=workflow.signer, lamports=PAYMENT, at=timezone.now()
    )
    Execution.objects.filter(id=row_id).update(created_at=timezone.now() - timedelta(hours=1))

    advance([row_id])

    assert execution(row_id).error_code == "event_too_old"
    assert Reservation.objects.get().status == "released"


def test_a_unit_of_the_rate_comes_back_from_what_is_refused_later(
    make_workflow: Callable[..., Workflow], chain: LocalChain
) -> None:
    """It was taken before the worker died; then the event became too old. A dry run that fails keeps its unit."""
    watched, to = new_address(), new_address()
    workflow = make_workflow(watched, transfer(to), max_event_age_s=1)
    dry = make_workflow(watched, transfer(to, 900_000_000_000), dry_run=True, max_lamports_per_tx=10**15)
    (aged,) = take_events(workflow, [balance_event(watched, 10)])
    (failing,) = take_events(dry, [balance_event(watched, 10)])
    RateUnit.objects.create(execution_id=aged, workflow=workflow, at=timezone.now())
    Execution.objects.filter(id=aged).update(created_at=timezone.now() - timedelta(hours=1))

    advance([aged, failing])

    assert (execution(aged).error_code, execution(failing).status) == ("event_too_old", "failed")
    assert list(RateUnit.objects.values_list("execution_id", flat=True)) == [failing]


def test_a_daily_limit_counts_what_was_reserved(make_workflow: Callable[..., Workflow], chain: LocalChain) -> None:
    """Two payments fit into the day, the third is refused with the sum."""
    watched, to = new_address(), new_address()
    workflow = make_workflow(watched, transfer(to), max_lamports_per_day=2 * (PAYMENT + 5_000))
    ids = take_events(workflow, [balance_event(watched, slot) for slot in (10, 11, 12)])

    advance(ids)

    ended = sorted(settled(row_id).status for row_id in ids)
    assert ended == ["failed", "success", "success"]
    assert Execution.objects.get(status="failed").error_code == "daily_limit_exceeded"


def test_under_a_global_pause_nothing_is_signed_and_the_lift_runs_what_waited(
    make_workflow: Callable[..., Workflow], chain: LocalChain, actor: Actor
) -> None:
    """The execution stays pending, waiting for the pause, and keeps its place."""
    watched, to = new_address(), new_address()
    (row_id,) = take_events(make_workflow(watched, transfer(to)), [balance_event(watched, 10)])
    assert pauses.installation_pause(actor=actor, reason="drill") == []

    advance([row_id])

    row = execution(row_id)
    assert (row.status, row.waiting_for) == ("pending", "pause")
    assert not Attempt.objects.exists()
    pauses.installation_resume(actor=actor)
    advance([row_id])
    assert settled(row_id).status == "success"


def test_a_dry_run_ends_with_its_simulation(make_workflow: Callable[..., Workflow], chain: LocalChain) -> None:
    """Nothing is signed; what would have been spent is there to read."""
    watched, to = new_address(), new_address()
    (row_id,) = take_events(make_workflow(watched, transfer(to), dry_run=True), [balance_event(watched, 10)])

    advance([row_id])

    row = execution(row_id)
    assert row.status == "success"
    assert row.simulation["outflow_lamports"] == PAYMENT + 5_000
    assert chain.balance(to) == 0


def test_a_payment_that_would_fail_is_not_sent(make_workflow: Callable[..., Workflow]) -> None:
    """The simulation's logs are kept."""
    watched = new_address()
    workflow = make_workflow(watched, transfer(new_address(), 10), max_lamports_per_tx=100_000)
    (row_id,) = take_events(workflow, [balance_event(watched, 10)])

    advance([row_id])

    row = execution(row_id)
    assert (row.status, row.error_code) == ("failed", "simulation_failed")
    assert "rent-exempt minimum" in row.error_detail


def test_a_retry_runs_the_same_row_again(
    make_workflow: Callable[..., Workflow], chain: LocalChain, actor: Actor
) -> None:
    """After the cause is gone; the audit log says who asked for it."""
    watched, to = new_address(), new_address()
    workflow = make_workflow(watched, transfer(to, "{{ event.lamports_delta // 500 }}"))
    (row_id,) = take_events(workflow, [balance_event(watched, 10)])
    advance([row_id])
    assert execution(row_id).error_code == "limit_exceeded"
    Workflow.objects.filter(pk=workflow.pk).update(max_lamports_per_tx=3_000_000)

    execution_retry(actor=actor, execution=execution(row_id))
    advance([row_id])

    assert settled(row_id).status == "success"
    assert chain.balance(to) == SOL // 500
    assert AuditEntry.objects.filter(action="execution_retried").count() == 1


def test_a_replay_is_an_execution_of_its_own(
    make_workflow: Callable[..., Workflow], chain: LocalChain, actor: Actor
) -> None:
    """It names its origin, and pays again."""
    watched, to = new_address(), new_address()
    (row_id,) = take_events(make_workflow(watched, transfer(to)), [balance_event(watched, 10)])
    advance([row_id])
    first = settled(row_id)

    replayed = Execution.objects.get(execution_id=execution_replay(actor=actor, execution=first))
    advance([replayed.id])

    assert settled(replayed.id).status == "success"
    assert replayed.replay_of == first.execution_id
    assert chain.balance(to) == 2 * PAYMENT


def test_without_actions_an_execution_ends_when_its_filter_is_met(make_workflow: Callable[..., Workflow]) -> None:
    """One claim, one decision, done."""
    watched = new_address()
    (row_id,) = take_events(make_workflow(watched, []), [balance_event(watched, 10)])

    advance([row_id])

    row = execution(row_id)
    assert row.status == "success"
    assert [step["name"] for step in row.steps] == ["detected", "queued", "passed", "limits"]


def test_what_was_seen_at_processed_is_signed_only_when_its_slot_is_confirmed(
    make_workflow: Callable[..., Workflow], chain: LocalChain
) -> None:
    """Before that the execution is given back, unsigned."""
    watched, to = new_address(), new_address()
    workflow = make_workflow(watched, transfer(to), commitment="processed")
    slot = chain.slot("processed") + 3
    (early,) = take_events(workflow, [balance_event(watched, slot)])

    advance([early])

    assert execution(early).status == "pending"
    assert not Attempt.objects.exists()
    wait_for(lambda: chain.slot("confirmed") > slot, 20, "the slot is confirmed")
    advance([early])
    assert settled(early).status == "success"


def test_what_a_fork_dropped_is_not_paid(make_workflow: Callable[..., Workflow], chain: LocalChain) -> None:
    """The confirmed chain has no block in the event's slot."""
    watched = new_address()
    workflow = make_workflow(watched, transfer(new_address()), commitment="processed")
    skipped = chain.warp(20, skipped=True) - 5
    wait_for(lambda: chain.slot("confirmed") > skipped + 10, 20, "the chain is past the skipped slot")
    (row_id,) = take_events(workflow, [balance_event(watched, skipped)])

    advance([row_id])

    row = execution(row_id)
    assert (row.status, row.error_code) == ("failed", "dropped_by_fork")
    assert not Attempt.objects.exists()
