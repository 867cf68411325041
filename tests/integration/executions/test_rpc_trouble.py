"""Endpoints that lag, forget, fail and disagree: never a second payment, never a false failure, never silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from executions import evidence
from executions.confirm import confirm_round, finalize_round
from executions.gateway import gateway
from executions.models import Attempt, Reservation
from executions.pipeline import advance
from tests.executing import balance_event, execution, new_address, settled, take_events
from tests.local_chain import LocalChain
from tests.rpc_node import RpcNode
from tests.waiting import wait_for
from workflows.models import Workflow

pytestmark = pytest.mark.django_db(transaction=True)

PAYMENT = 900_000
TOO_OLD_SLOTS = 150 + 40
BEHIND_SLOTS = 300
Pay = Callable[[], tuple[int, str]]


@pytest.fixture
def pay(make_workflow: Callable[..., Workflow]) -> Pay:
    """An event that pays, taken in but not advanced: the row and the recipient."""

    def begin() -> tuple[int, str]:
        watched, to = new_address(), new_address()
        workflow = make_workflow(watched, [{"type": "transfer_sol", "to": to, "lamports": PAYMENT}])
        (row_id,) = take_events(workflow, [balance_event(watched, 10)])
        return row_id, to

    return begin


@pytest.fixture
def use_nodes(chain: LocalChain, settings: Any) -> Iterator[Callable[[int], list[RpcNode]]]:
    """So many nodes in front of the chain, and the gateway on them."""
    made: list[RpcNode] = []

    def use(count: int) -> list[RpcNode]:
        made.extend(RpcNode(chain) for _ in range(count))
        chain.warp(BEHIND_SLOTS)  # before which a node that lags has no slot to be at
        gateway().rpc.close()
        gateway.cache_clear()
        settings.SOLANA_RPC_URLS = [node.url for node in made]
        return made

    yield use
    for node in made:
        node.close()


def attempt_of(row_id: int, number: int = 1) -> Attempt:
    return Attempt.objects.get(execution_id=row_id, number=number)


def make_overdue(row_id: int) -> None:
    """As if it had been signed long ago, and nobody had said anything since."""
    Attempt.objects.filter(execution_id=row_id).update(signed_at=F("signed_at") - timedelta(hours=1))


def land(chain: LocalChain, row_id: int) -> None:
    """Wait until the chain has the attempt, whatever SolFlow knows."""
    chain.wait_for_status(attempt_of(row_id).signature)


# Nodes that lag say "unknown" of what has landed


@pytest.mark.parametrize("asks_the_one_behind", [["getSlot", "getSignatureStatuses"], ["getSignatureStatuses"], []])
def test_a_load_balancer_with_a_node_that_lags_proves_nothing(
    asks_the_one_behind: list[str], pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """One address, several nodes: the height of the one that is ahead does not make the other's "unknown" count."""
    (node,) = use_nodes(1)
    row_id, to = pay()
    advance([row_id])
    land(chain, row_id)
    chain.warp(TOO_OLD_SLOTS)
    if asks_the_one_behind:
        node.lag(BEHIND_SLOTS, methods=asks_the_one_behind)
    else:
        node.lag(BEHIND_SLOTS, BEHIND_SLOTS, 0, BEHIND_SLOTS, BEHIND_SLOTS)

    for _ in range(20):
        confirm_round()
        chain.warp(2)

    assert attempt_of(row_id).status != "expired"
    node.well()
    assert settled(row_id).status == "success"
    assert Attempt.objects.filter(execution_id=row_id).count() == 1
    assert chain.balance(to) == PAYMENT


def test_of_three_endpoints_two_that_lag_are_no_proof(
    pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """The one that is ahead says that the height has passed, and then nothing more; the others never heard of it."""
    ahead, *behind = use_nodes(3)
    row_id, to = pay()
    advance([row_id])
    land(chain, row_id)
    for node in behind:
        node.lag(BEHIND_SLOTS)
    chain.warp(TOO_OLD_SLOTS)
    ahead.fail("getSignatureStatuses", "getSlot")

    for _ in range(20):
        confirm_round()
        chain.warp(2)

    assert attempt_of(row_id).status != "expired"
    ahead.well()
    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT


def test_what_one_endpoint_never_knew_and_another_has_seen_is_recorded(
    pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """The preferred endpoint was set up a moment ago and answers "unknown" for ever; the second one is believed."""
    forgetful, other = use_nodes(2)
    row_id, to = pay()
    advance([row_id])
    land(chain, row_id)
    forgetful.forget()
    chain.warp(TOO_OLD_SLOTS)

    assert settled(row_id).status == "success"

    assert other.calls("getSignatureStatuses")
    assert Attempt.objects.filter(execution_id=row_id).count() == 1
    assert chain.balance(to) == PAYMENT


# Nodes that say nothing


@pytest.mark.parametrize("silent", [["getSignatureStatuses"], ["getBlockHeight"], ["getEpochInfo"]])
def test_an_endpoint_that_errors_for_ever_parks_the_attempt_until_it_comes_back(
    silent: list[str], pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """Nothing is called failed; a person sees it, what is reserved stays, and the first answer resolves it."""
    (node,) = use_nodes(1)
    row_id, to = pay()
    node.fail("sendTransaction")
    advance([row_id])
    chain.warp(TOO_OLD_SLOTS)
    node.fail(*silent)
    confirm_round()
    assert execution(row_id).waiting_for == "confirmation"

    make_overdue(row_id)
    confirm_round()

    row = execution(row_id)
    assert (row.status, row.waiting_for, attempt_of(row_id).status) == ("processing", "person", "unknown")
    assert Reservation.objects.get(execution_id=row_id).status == "reserved"
    node.well()
    wait_for(lambda: confirm_round() or execution(row_id).status == "pending", 20, "the proof is there")
    advance([row_id])
    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT


def test_a_parked_payment_that_has_landed_is_found_when_the_endpoint_comes_back(
    pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """It had landed all the time, and is not paid again."""
    (node,) = use_nodes(1)
    row_id, to = pay()
    advance([row_id])
    land(chain, row_id)
    node.fail("getSignatureStatuses")
    make_overdue(row_id)
    confirm_round()
    assert execution(row_id).waiting_for == "person"

    node.well()

    assert settled(row_id).status == "success"
    assert execution(row_id).waiting_for is None
    assert chain.balance(to) == PAYMENT


def test_a_node_that_says_processed_for_ever_parks_the_attempt(
    pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """A fork that lost, on a node that does not notice: neither landed nor unknown, but visible."""
    (node,) = use_nodes(1)
    row_id, _ = pay()
    chain.faults(never_land={})
    advance([row_id])
    stuck = {"slot": chain.slot(), "confirmations": 0, "err": None, "confirmationStatus": "processed"}
    node.answers["getSignatureStatuses"] = lambda _, pass_on: {**pass_on(), "value": [stuck]}
    make_overdue(row_id)

    confirm_round()

    assert (attempt_of(row_id).status, execution(row_id).waiting_for) == ("unknown", "person")


def test_too_many_requests_for_a_minute_after_signing_cost_a_minute(pay: Pay, chain: LocalChain) -> None:
    """Sends and questions are refused; nothing moves, and afterwards the same bytes land."""
    row_id, to = pay()
    chain.faults(rate_limit={"methods": ["sendTransaction", "getSignatureStatuses", "getBlockHeight"]})
    advance([row_id])
    for _ in range(5):
        confirm_round()
    assert (attempt_of(row_id).status, attempt_of(row_id).sends) == ("signed", 1)

    chain.clear_faults()

    assert settled(row_id, timeout_s=20).status == "success"
    assert Attempt.objects.filter(execution_id=row_id).count() == 1
    assert chain.balance(to) == PAYMENT


# Sending


def test_an_endpoint_that_refuses_sends_is_made_up_for_by_the_other(
    pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """The preferred one refuses at once; the other gets the bytes within the same send."""
    refusing, other = use_nodes(2)
    row_id, to = pay()
    refusing.fail("sendTransaction")

    advance([row_id])

    assert len(other.calls("sendTransaction")) == 1
    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT


def test_an_endpoint_that_is_slow_with_sends_is_made_up_for_by_the_other(
    pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """The preferred one does not answer; a second later the other has the bytes."""
    slow, other = use_nodes(2)
    row_id, to = pay()
    slow.hang("sendTransaction")

    advance([row_id])

    assert len(other.calls("sendTransaction")) == 1
    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT


def test_every_rebroadcast_sends_the_same_bytes_to_every_endpoint(
    pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """Without preflight and without the node's own retries; what is stored is what is sent."""
    nodes = use_nodes(2)
    row_id, _ = pay()
    chain.faults(never_land={})
    advance([row_id])

    wait_for(lambda: confirm_round() or attempt_of(row_id).sends >= 3, 20, "it is sent three times")

    sent = [params for node in nodes for params in node.calls("sendTransaction")]
    assert len(sent) == 1 + 2 * 2
    assert len({params[0] for params in sent}) == 1
    assert all(params[1]["skipPreflight"] and params[1]["maxRetries"] == 0 for params in sent)
    assert Attempt.objects.filter(execution_id=row_id).count() == 1


def test_a_transaction_that_never_lands_is_given_up_with_proof_after_the_last_attempt(
    pay: Pay, chain: LocalChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt was signed only after the one before it had expired; at the end nothing is reserved any more."""
    monkeypatch.setattr(evidence, "ATTEMPTS_MAX", 3)
    row_id, to = pay()
    chain.faults(never_land={})

    for number in range(1, 4):
        advance([row_id])
        assert attempt_of(row_id, number).status == "sent"
        gateway().forget_blockhash()
        chain.warp(TOO_OLD_SLOTS)
        wait_for(lambda n=number: confirm_round() or attempt_of(row_id, n).status == "expired", 20, "it is expired")

    row = execution(row_id)
    assert (row.status, row.error_code) == ("failed", "never_landed")
    assert Attempt.objects.filter(execution_id=row_id, status="expired").count() == 3
    assert Reservation.objects.get(execution_id=row_id).status == "released"
    assert chain.balance(to) == 0


# Building


def test_a_simulation_without_balances_is_no_permission(pay: Pay, use_nodes: Callable[[int], list[RpcNode]]) -> None:
    """A node that is too old to say what would leave is not asked to sign on trust."""
    (node,) = use_nodes(1)
    row_id, _ = pay()

    def without_balances(_: Any, pass_on: Callable[[], Any]) -> Any:
        answer = pass_on()
        for name in ("preBalances", "postBalances", "preTokenBalances", "postTokenBalances"):
            answer["value"].pop(name, None)
        return answer

    node.answers["simulateTransaction"] = without_balances

    advance([row_id])

    row = execution(row_id)
    assert (row.status, row.error_code) == ("failed", "simulation_failed")
    assert "no balances" in row.error_detail
    assert not Attempt.objects.exists()


def test_a_blockhash_that_a_node_does_not_know_is_asked_for_anew(
    pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """The cached one is thrown away once; a node that knows none of its own is left alone for a while."""
    (node,) = use_nodes(1)
    row_id, to = pay()
    unknown: list[int] = []

    def knows_none(_: Any, pass_on: Callable[[], Any]) -> Any:
        answer = pass_on()
        unknown.append(1)
        answer["value"].update(err="BlockhashNotFound", logs=[], unitsConsumed=0)
        return answer

    node.answers["simulateTransaction"] = knows_none
    advance([row_id])
    assert (execution(row_id).status, len(unknown)) == ("pending", 2)
    assert len(node.calls("getLatestBlockhash")) == 2
    assert not Attempt.objects.exists()

    node.well()
    advance([row_id])

    assert settled(row_id).status == "success"
    assert chain.balance(to) == PAYMENT


# Another chain


def test_the_answers_of_another_chain_move_nothing(
    pay: Pay, chain: LocalChain, use_nodes: Callable[[int], list[RpcNode]]
) -> None:
    """Endpoints that were changed to another network know none of our signatures: that is no proof and no fork."""
    landed, _ = pay()
    advance([landed])
    assert settled(landed).status == "success"
    waiting, _ = pay()
    chain.faults(never_land={})
    advance([waiting])
    (node,) = use_nodes(1)
    node.answers["getGenesisHash"] = lambda *_: "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY"
    node.forget()
    chain.warp(TOO_OLD_SLOTS)

    for _ in range(5):
        confirm_round()
        assert finalize_round() == 0
        chain.warp(10)

    assert (attempt_of(landed).status, execution(landed).status) == ("confirmed", "success")
    assert (attempt_of(waiting).status, execution(waiting).waiting_for) == ("sent", "confirmation")
    assert not attempt_of(waiting).unknown_answers
