"""A person's word on a parked execution: what the chain knows outranks it, and nobody promises what may still land."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from accounts.actors import Actor
from accounts.errors import Invalid, NotNow, Refused, ServiceError
from accounts.models import AuditEntry
from executions import evidence, resolutions
from executions.confirm import confirm_round, finalize_round
from executions.models import Attempt, Delivery, Execution, Reservation
from executions.pipeline import advance
from executions.resolutions import Claim, execution_resolve
from executions.services import execution_retry
from tests.executing import balance_event, execution, new_address, settled, take_events
from tests.local_chain import LocalChain
from tests.waiting import wait_for
from workflows.models import Channel, Workflow
from workflows.services import channel_create

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000
RESERVED = PAYMENT + 5_000
BLOCKS_A_BLOCKHASH_LIVES = 150
DISCORD_URL = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123"


@pytest.fixture
def channel(actor: Actor) -> Channel:
    return channel_create(actor=actor, name="ops", type="discord", config={"webhook_url": DISCORD_URL})


@pytest.fixture
def sent(make_workflow: Callable[..., Workflow], channel: Channel, chain: LocalChain) -> Callable[..., tuple[int, str]]:
    """An execution whose transaction was sent, and lands or never does: the row and the recipient."""

    def begin(*, lands: bool) -> tuple[int, str]:
        watched, to = new_address(), new_address()
        workflow = make_workflow(
            watched,
            [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}],
            parts={"notifications": [{"channel": str(channel.id), "on": ["success", "failed"]}]},
        )
        (row_id,) = take_events(workflow, [balance_event(watched, 10)])
        if not lands:
            chain.faults(never_land={})
        advance([row_id])
        chain.clear_faults()
        return row_id, to

    return begin


@pytest.fixture
def parked(sent: Callable[..., tuple[int, str]], chain: LocalChain) -> Callable[..., tuple[int, str]]:
    """As `sent`, too old to land, and nobody could say for too long."""

    def begin(*, lands: bool = False) -> tuple[int, str]:
        row_id, to = sent(lands=lands)
        attempt = Attempt.objects.get(execution_id=row_id)
        if lands:
            chain.wait_for_status(attempt.signature)
        chain.warp(BLOCKS_A_BLOCKHASH_LIVES + 40)
        evidence._park(attempt)
        assert execution(row_id).waiting_for == "person"
        return row_id, to

    return begin


def resolve(actor: Actor, row_id: int, claim: Claim, **more: Any) -> Execution:
    return execution_resolve(actor=actor, execution=execution(row_id), claim=claim, **more)


def refusal(actor: Actor, row_id: int, claim: Claim, **more: Any) -> ServiceError:
    with pytest.raises((Refused, Invalid, NotNow)) as caught:
        resolve(actor, row_id, claim, **more)
    return caught.value


def ledger(row_id: int) -> tuple[str, str | None, str, str]:
    """Status and reason to wait of the execution, status of its newest attempt, of its newest reservation."""
    row = execution(row_id)
    attempt = Attempt.objects.filter(execution_id=row_id).latest("number")
    return (
        row.status,
        row.waiting_for,
        attempt.status,
        Reservation.objects.filter(execution_id=row_id).latest("id").status,
    )


def test_what_a_person_says_has_landed_is_a_success_that_spent_what_was_reserved(
    parked: Callable[..., tuple[int, str]], actor: Actor
) -> None:
    """The ledger does not claim that the chain said so: the attempt is still unknown."""
    row_id, _ = parked()

    row = resolve(actor, row_id, Claim.LANDED)

    assert ledger(row_id) == ("success", None, "unknown", "settled")
    assert Reservation.objects.get(execution_id=row_id).lamports == RESERVED
    assert row.steps[-1]["name"] == "resolved"
    assert (row.steps[-1]["detail"]["by"], row.steps[-1]["detail"]["claim"]) == (actor.name, "landed")
    assert Delivery.objects.get(execution_id=row_id).outcome == "success"
    entry = AuditEntry.objects.get(action="execution_resolved")
    assert (entry.actor, entry.target_id, entry.detail["claim"]) == (actor.name, row.execution_id, "landed")
    assert "1 endpoint searched the history" in entry.detail["chain"]


def test_what_a_person_gave_up_is_failed_frees_what_was_reserved_and_may_be_retried(
    parked: Callable[..., tuple[int, str]], actor: Actor, chain: LocalChain
) -> None:
    row_id, to = parked()

    row = resolve(actor, row_id, Claim.NOT_LANDED)

    assert ledger(row_id) == ("failed", None, "expired", "released")
    assert (row.error_code, Delivery.objects.get(execution_id=row_id).outcome) == ("given_up", "failed")
    assert actor.name in row.error_detail
    assert row.workflow.failures_in_row == 0
    execution_retry(actor=actor, execution=row)
    advance([row_id])
    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT


def test_what_a_person_has_signed_again_is_paid_once(
    parked: Callable[..., tuple[int, str]], actor: Actor, chain: LocalChain
) -> None:
    row_id, to = parked()

    row = resolve(actor, row_id, Claim.NOT_LANDED, sign_again=True)

    assert ledger(row_id) == ("pending", None, "expired", "released")
    assert row.steps[-1]["detail"]["sign_again"] is True
    assert not Delivery.objects.filter(execution_id=row_id).exists()
    advance([row_id])
    assert settled(row_id).status == "success"
    assert (chain.balance(to), Attempt.objects.filter(execution_id=row_id).count()) == (PAYMENT, 2)
    assert Reservation.objects.get(execution_id=row_id, status="settled").lamports == RESERVED


@pytest.mark.parametrize("sign_again", [False, True])
def test_a_person_who_is_wrong_about_what_has_landed_is_refused_and_the_landing_recorded(
    parked: Callable[..., tuple[int, str]], actor: Actor, chain: LocalChain, sign_again: bool
) -> None:
    row_id, to = parked(lands=True)
    signature = Attempt.objects.get(execution_id=row_id).signature

    error = refusal(actor, row_id, Claim.NOT_LANDED, sign_again=sign_again)

    assert error.code == "has_landed" and f"transaction {signature} landed in slot" in error.detail
    assert ledger(row_id) == ("success", None, "confirmed", "settled")
    assert advance([row_id]) == 0 and chain.balance(to) == PAYMENT
    assert not AuditEntry.objects.filter(action="execution_resolved").exists()


def test_a_person_who_is_right_about_what_has_landed_gets_what_the_chain_says(
    parked: Callable[..., tuple[int, str]], actor: Actor
) -> None:
    row_id, _ = parked(lands=True)

    row = resolve(actor, row_id, Claim.LANDED)

    assert ledger(row_id) == ("success", None, "confirmed", "settled")
    assert "resolved" not in [step["name"] for step in row.steps]
    assert "landed in slot" in AuditEntry.objects.get(action="execution_resolved").detail["chain"]


@pytest.mark.parametrize("claim", list(Claim))
def test_nobody_can_promise_while_the_blockhash_is_good(
    sent: Callable[..., tuple[int, str]], actor: Actor, claim: Claim
) -> None:
    row_id, _ = sent(lands=False)
    evidence._park(Attempt.objects.get(execution_id=row_id))
    before = ledger(row_id)

    error = refusal(actor, row_id, claim)

    assert (error.code, ledger(row_id)) == ("may_still_land", before)


@pytest.mark.parametrize("method", ["getSignatureStatuses", "getBlockHeight"])
def test_a_chain_that_does_not_answer_decides_nothing(
    parked: Callable[..., tuple[int, str]], actor: Actor, chain: LocalChain, method: str
) -> None:
    """An error is no "not there", and a person's word is not taken in its place."""
    row_id, _ = parked()
    before = ledger(row_id)
    chain.faults(server_error={"methods": [method]})

    error = refusal(actor, row_id, Claim.NOT_LANDED, sign_again=True)

    assert isinstance(error, NotNow) and ledger(row_id) == before
    assert not AuditEntry.objects.filter(action="execution_resolved").exists()


def test_only_what_is_parked_is_decided_by_a_person(sent: Callable[..., tuple[int, str]], actor: Actor) -> None:
    row_id, _ = sent(lands=True)
    assert refusal(actor, row_id, Claim.LANDED).code == "not_parked"
    assert settled(row_id).status == "success"
    assert refusal(actor, row_id, Claim.NOT_LANDED).code == "not_parked"


def test_what_has_landed_cannot_be_signed_again(parked: Callable[..., tuple[int, str]], actor: Actor) -> None:
    row_id, _ = parked()
    error = refusal(actor, row_id, Claim.LANDED, sign_again=True)
    assert isinstance(error, Invalid) and error.errors[0].path == "sign_again"


def test_a_landing_that_is_recorded_while_a_person_decides_outranks_the_decision(
    parked: Callable[..., tuple[int, str]], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint that answers the person knows nothing; a round finds the transaction before the word is taken."""
    row_id, _ = parked(lands=True)
    ask = resolutions._ask

    def blind(attempts: Any) -> Any:
        heard = ask(attempts)
        confirm_round()
        return resolutions.Heard({}, heard.block_height, heard.endpoints)

    monkeypatch.setattr(resolutions, "_ask", blind)

    assert refusal(actor, row_id, Claim.NOT_LANDED, sign_again=True).code == "not_parked"
    assert ledger(row_id) == ("success", None, "confirmed", "settled")


def test_two_people_who_decide_at_once_have_one_decision(parked: Callable[..., tuple[int, str]], actor: Actor) -> None:
    row_id, _ = parked()
    together, said = Barrier(2), []

    def decide(claim: Claim) -> None:
        try:
            together.wait(10)
            resolve(actor, row_id, claim)
            said.append("taken")
        except Refused as error:
            said.append(error.code)
        finally:
            connection.close()

    threads = [Thread(target=decide, args=(claim,)) for claim in Claim]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(said) == ["not_parked", "taken"]
    assert AuditEntry.objects.filter(action="execution_resolved").count() == 1
    assert ledger(row_id) in [("success", None, "unknown", "settled"), ("failed", None, "expired", "released")]


def test_what_was_said_to_have_landed_and_is_seen_later_becomes_final_like_any_other(
    parked: Callable[..., tuple[int, str]], actor: Actor, chain: LocalChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint had lost its history for a while; the person was right."""
    row_id, _ = parked(lands=True)
    ask = resolutions._ask
    with monkeypatch.context() as patched:
        patched.setattr(resolutions, "_ask", lambda attempts: resolutions.Heard({}, ask(attempts).block_height, 1))
        resolve(actor, row_id, Claim.LANDED)
    assert ledger(row_id) == ("success", None, "unknown", "settled")

    wait_for(lambda: confirm_round() or Attempt.objects.get(execution_id=row_id).status != "unknown", 10, "it is seen")
    chain.warp(40)
    wait_for(finalize_round, 10, "it is final")

    assert ledger(row_id) == ("success", None, "finalized", "settled")
    assert Delivery.objects.filter(execution_id=row_id).count() == 1


def test_what_was_said_to_have_landed_and_is_proven_not_to_is_not_signed_again(
    parked: Callable[..., tuple[int, str]], actor: Actor, chain: LocalChain
) -> None:
    """The person was wrong: the attempt says so, and the execution stays as decided."""
    row_id, to = parked()
    resolve(actor, row_id, Claim.LANDED)

    wait_for(
        lambda: confirm_round() or Attempt.objects.get(execution_id=row_id).status == "expired", 10, "it is proven"
    )

    assert ledger(row_id) == ("success", None, "expired", "settled")
    assert advance([row_id]) == 0 and chain.balance(to) == 0
