"""Many calls in one request, against nodes that answer batches in part, out of order, or not at all."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY
from solders.hash import Hash
from solders.keypair import Keypair

from chain.errors import Ambiguous, ChainError, Rejected, Unavailable
from chain.rpc.aio import AsyncRpcClient
from chain.rpc.sync import RpcClient
from chain.tx import builder, instructions
from chain.tx.signers import KeypairSigner
from chain.types import SignedTransaction


@pytest.fixture
def rpc(node: Any) -> Iterator[RpcClient]:
    with RpcClient([node.url], timeout_s=5.0) as client:
        yield client


@pytest.fixture
def both(node: Any, second: Any) -> Iterator[RpcClient]:
    with RpcClient([node.url, second.url], timeout_s=5.0) as client:
        yield client


def signed(count: int) -> list[SignedTransaction]:
    signer = KeypairSigner.from_secret(bytes(Keypair()))
    memos = [instructions.memo(f"number {n}", signer.address) for n in range(count)]
    return [signer.sign(builder.compile_message([memo], signer.address, str(Hash.new_unique())), 1) for memo in memos]


def each(node: Any, answer: Callable[[dict[str, Any]], dict[str, Any] | None], *, backwards: bool = False) -> Any:
    """Answers every call of a batch, or the single one, by `answer`; None leaves it out."""

    def handle(handler: Any, request: Any) -> None:
        calls = request if isinstance(request, list) else [request]
        told = [{"jsonrpc": "2.0", "id": one["id"], **said} for one in calls if (said := answer(one)) is not None]
        if backwards:
            told.reverse()
        node.body(json.dumps(told if isinstance(request, list) else told[0]))(handler, request)

    return handle


def echo(call: dict[str, Any]) -> dict[str, Any]:
    return {"result": {"slot": int(call["params"][0])}}


def test_answers_come_in_the_order_of_the_calls_whatever_the_order_of_the_node(node: Any, rpc: RpcClient) -> None:
    node.will(each(node, echo, backwards=True))
    assert rpc.transactions([str(n) for n in range(45)]) == [{"slot": n} for n in range(45)]
    assert sorted(len(request) for request in node.requests) == [5, 20, 20]


def test_the_asyncio_client_fetches_transactions_in_batches_too(node: Any) -> None:
    async def fetch() -> list[dict[str, Any] | None]:
        client = AsyncRpcClient([node.url])
        try:
            return await client.transactions([str(n) for n in range(30)])
        finally:
            await client.close()

    node.will(each(node, echo))
    assert asyncio.run(fetch()) == [{"slot": n} for n in range(30)]
    assert len(node.requests) == 2


def test_what_many_ask_for_at_the_same_time_shares_requests(node: Any) -> None:
    def answer(call: dict[str, Any]) -> dict[str, Any]:
        refused = {"error": {"code": -32602, "message": "Invalid param"}}
        return refused if call["params"][0] == "13" else echo(call)

    async def fetch() -> list[Any]:
        client = AsyncRpcClient([node.url])
        try:
            return await asyncio.gather(*(client.transaction(str(n)) for n in range(30)), return_exceptions=True)
        finally:
            await client.close()

    node.will(each(node, answer))
    answers = asyncio.run(fetch())
    assert [one for n, one in enumerate(answers) if n != 13] == [{"slot": n} for n in range(30) if n != 13]
    assert isinstance(answers[13], Rejected)
    assert len(node.requests) == 2


def test_a_call_alone_is_no_batch(node: Any, rpc: RpcClient) -> None:
    node.will(each(node, echo))
    assert rpc.transactions(["7"]) == [{"slot": 7}]
    assert isinstance(node.requests[0], dict)


def test_nothing_is_asked_for_nothing(node: Any, rpc: RpcClient) -> None:
    assert rpc.transactions([]) == []
    assert rpc.send_many([]) == []
    assert node.requests == []


@pytest.mark.parametrize("status", [200, 400, 403, 413])
def test_an_endpoint_that_takes_no_batches_is_asked_one_by_one_from_then_on(
    status: int, node: Any, rpc: RpcClient
) -> None:
    def alone(handler: Any, request: Any) -> None:
        if isinstance(request, list):
            node.error(-32600, "batch requests are for paid plans", status=status)(handler, request)
        else:
            each(node, echo)(handler, request)

    node.will(alone)
    assert rpc.transactions([str(n) for n in range(30)]) == [{"slot": n} for n in range(30)]
    assert rpc.transactions(["1", "2"]) == [{"slot": 1}, {"slot": 2}]
    batches = [request for request in node.requests if isinstance(request, list)]
    assert 1 <= len(batches) <= 2
    assert len(node.connections) <= 16
    assert rpc.endpoints()[0].errors == 0


def test_one_bad_answer_is_that_calls_alone(node: Any, rpc: RpcClient) -> None:
    def mostly(call: dict[str, Any]) -> dict[str, Any] | None:
        if call["params"][0] == "1":
            return {"error": {"code": -32602, "message": "no"}}
        return None if call["params"][0] == "2" else echo(call)

    node.will(each(node, mostly))
    first, refused, missing, last = rpc.transactions(["0", "1", "2", "3"])
    assert (first, last) == ({"slot": 0}, {"slot": 3})
    assert isinstance(refused, Rejected)
    assert isinstance(missing, Unavailable)


def test_what_one_endpoint_does_not_answer_the_next_one_is_asked(node: Any, second: Any, both: RpcClient) -> None:
    node.will(each(node, lambda call: echo(call) if call["params"][0] != "1" else None))
    second.will(each(second, echo))
    assert both.transactions(["0", "1", "2"]) == [{"slot": 0}, {"slot": 1}, {"slot": 2}]
    assert second.requests[0]["params"][0] == "1"


@pytest.mark.parametrize("trouble", ["drop", "500", "rubbish"])
def test_a_batch_that_fails_whole_goes_to_the_next_endpoint(
    trouble: str, node: Any, second: Any, both: RpcClient
) -> None:
    node.will({"drop": node.drop(), "500": node.body("", status=500), "rubbish": node.body("<html>")}[trouble])
    second.will(each(second, echo))
    assert both.transactions(["0", "1"]) == [{"slot": 0}, {"slot": 1}]
    assert both.endpoints()[0].errors == 1


def test_each_call_of_a_batch_is_counted(node: Any, rpc: RpcClient) -> None:
    node.will(each(node, lambda call: echo(call) if call["params"][0] != "1" else None))
    rpc.transactions(["0", "1", "2"])
    labels = {"endpoint": node.host, "method": "getTransaction"}
    counted = {
        result: REGISTRY.get_sample_value("solflow_rpc_requests_total", {**labels, "result": result})
        for result in ("ok", "ambiguous")
    }
    assert counted == {"ok": 2.0, "ambiguous": 1.0}


def test_many_sends_say_for_each_what_became_of_it(node: Any, rpc: RpcClient) -> None:
    taken, known, refused, unheard = many = signed(4)
    errors = {
        known.signature: {"code": -32002, "message": "This transaction has already been processed"},
        refused.signature: {"code": -32003, "message": "Transaction signature verification failure"},
    }
    numbers = {number: one.signature for number, one in enumerate(many)}

    def answer(call: dict[str, Any]) -> dict[str, Any] | None:
        signature = numbers[call["id"]]
        if signature == unheard.signature:
            return None
        return {"error": errors[signature]} if signature in errors else {"result": signature}

    node.will(each(node, answer))
    outcomes = rpc.send_many([one.raw for one in many])
    assert outcomes[:2] == [None, None]
    assert isinstance(outcomes[2], Rejected)
    assert isinstance(outcomes[3], Ambiguous)
    assert taken.signature != known.signature


def test_sends_whose_answers_were_lost_are_all_ambiguous_and_were_sent_once(node: Any, rpc: RpcClient) -> None:
    node.will(node.drop())
    outcomes = rpc.send_many([one.raw for one in signed(3)])
    assert all(isinstance(one, Ambiguous) for one in outcomes)
    assert len(node.requests) == 1


def test_sends_that_one_endpoint_refuses_go_to_the_next(node: Any, second: Any, both: RpcClient) -> None:
    many = signed(3)
    behind = {"error": {"code": -32002, "message": "Blockhash not found", "data": {"err": "BlockhashNotFound"}}}
    node.will(each(node, lambda call: {"result": many[0].signature} if call["id"] == 0 else behind))
    left: list[SignedTransaction] = many[1:]
    second.will(each(second, lambda call: {"result": left[call["id"]].signature}))
    assert both.send_many([one.raw for one in many]) == [None, None, None]
    assert len(second.requests[0]) == 2


def test_sends_everywhere_succeed_where_one_endpoint_takes_them(node: Any, second: Any, both: RpcClient) -> None:
    many = signed(2)
    node.will(node.body("", status=500))
    second.will(each(second, lambda call: {"result": many[call["id"]].signature}))
    assert both.send_many([one.raw for one in many], everywhere=True) == [None, None]
    assert len(node.requests) == len(second.requests) == 1


def test_an_unreadable_answer_is_an_error_and_no_exception(node: Any, rpc: RpcClient) -> None:
    node.will(each(node, lambda call: {"result": "no list"}))
    outcomes = rpc.recent_prioritization_fees_of([["a"], ["b"]])
    assert all(isinstance(one, ChainError) for one in outcomes)
