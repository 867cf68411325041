"""Both clients against nodes that misbehave over real sockets."""

import asyncio
import logging
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY
from solders.hash import Hash
from solders.keypair import Keypair

from chain.errors import Ambiguous, ChainError, NodeBehind, Rejected, Unavailable
from chain.rpc import pool
from chain.rpc.aio import AsyncRpcClient
from chain.rpc.sync import RpcClient
from chain.tx import builder, instructions
from chain.tx.signers import KeypairSigner
from chain.types import SignedTransaction


@pytest.fixture
def signed() -> SignedTransaction:
    signer = KeypairSigner.from_secret(bytes(Keypair()))
    memo = instructions.memo("hello", signer.address)
    return signer.sign(builder.compile_message([memo], signer.address, str(Hash.new_unique())), 1)


@pytest.fixture
def client() -> Iterator[Callable[..., RpcClient]]:
    made: list[RpcClient] = []

    def make(*urls: str, timeout_s: float = 5.0) -> RpcClient:
        made.append(RpcClient(urls, timeout_s=timeout_s))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def refused_url() -> Iterator[str]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port, and connecting is refused
        yield f"http://127.0.0.1:{held.getsockname()[1]}/PATH-KEY"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "HURRY_S", dict.fromkeys(pool.HURRY_S, 0.2))


def test_the_preferred_endpoint_alone_is_asked_while_it_answers(node: Any, second: Any, client: Any) -> None:
    node.will(node.result(7))
    assert client(node.url, second.url).slot() == 7
    assert second.requests == []


def test_a_read_moves_on_from_an_endpoint_that_refuses_connections(node: Any, client: Any, refused_url: str) -> None:
    node.will(node.result(7))
    assert client(refused_url, node.url).slot() == 7


@pytest.mark.parametrize("trouble", ["drop", "garbage", "http_500", "http_429", "behind", "unknown_method"])
def test_a_read_moves_on_from_an_endpoint_in_trouble(trouble: str, node: Any, second: Any, client: Any) -> None:
    troubles = {
        "drop": node.drop(),
        "garbage": node.body("<html>"),
        "http_500": node.body("oops", status=500),
        "http_429": node.body("slow down", status=429),
        "behind": node.error(-32005, "Node is behind by 42 slots"),
        "unknown_method": node.error(-32601, "Method not found"),
    }
    node.will(troubles[trouble])
    second.will(second.result(9))
    assert client(node.url, second.url).slot() == 9


@pytest.mark.usefixtures("hurried")
def test_a_read_moves_on_from_a_silent_endpoint_without_spending_all_its_time(
    node: Any, second: Any, client: Any
) -> None:
    node.will(node.silence())
    second.will(second.result(9))
    started = time.monotonic()
    assert client(node.url, second.url).slot() == 9
    assert time.monotonic() - started < 3


def test_a_read_that_is_refused_is_not_asked_elsewhere(node: Any, second: Any, client: Any) -> None:
    node.will(node.error(-32602, "Invalid param", status=400))
    with pytest.raises(Rejected, match="Invalid param"):
        client(node.url, second.url).slot()
    assert second.requests == []


def test_a_read_survives_one_lost_connection_with_a_single_endpoint(node: Any, client: Any) -> None:
    node.will(node.drop(), node.result(7))
    assert client(node.url).slot() == 7


def test_a_read_that_times_out_is_unavailable_not_ambiguous(node: Any, client: Any) -> None:
    node.will(node.silence())
    with pytest.raises(Unavailable, match="did not answer"):
        client(node.url, timeout_s=0.2).slot()


def test_an_endpoint_that_asks_for_a_pause_is_left_alone_and_the_pause_is_told(node: Any, client: Any) -> None:
    node.will(node.body("", status=429, headers={"Retry-After": "7"}))
    with pytest.raises(Unavailable) as caught:
        client(node.url).slot()
    assert caught.value.retry_after_s == 7.0


def test_a_broken_endpoint_is_skipped_until_its_rest_is_over(node: Any, second: Any, client: Any) -> None:
    node.will(node.body("", status=503))
    second.will(second.result(9))
    rpc = client(node.url, second.url)
    for _ in range(6):
        assert rpc.slot() == 9
    assert len(node.requests) == 3
    assert [status.state for status in rpc.endpoints()] == ["open", "closed"]


def test_a_send_returns_the_signature_and_asks_for_no_preflight(
    node: Any, client: Any, signed: SignedTransaction
) -> None:
    node.will(node.result(signed.signature))
    assert client(node.url).send(signed.raw) == signed.signature
    assert node.requests[0]["params"][1] == {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}


def test_already_processed_is_good_news(node: Any, client: Any, signed: SignedTransaction) -> None:
    node.will(node.error(-32002, "failed", {"err": "AlreadyProcessed"}))
    assert client(node.url).send(signed.raw) == signed.signature


@pytest.mark.parametrize("trouble", ["drop", "garbage", "http_502", "internal", "another_signature"])
def test_a_send_whose_answer_is_missing_is_ambiguous(
    trouble: str, node: Any, client: Any, signed: SignedTransaction
) -> None:
    troubles = {
        "drop": node.drop(),
        "garbage": node.body("<html>"),
        "http_502": node.body("bad gateway", status=502),
        "internal": node.error(-32603, "Internal error"),
        "another_signature": node.result("1" * 64),
    }
    node.will(troubles[trouble])
    with pytest.raises(Ambiguous):
        client(node.url).send(signed.raw)
    assert len(node.requests) == 1


def test_a_send_that_times_out_is_ambiguous(node: Any, client: Any, signed: SignedTransaction) -> None:
    node.will(node.silence())
    with pytest.raises(Ambiguous) as caught:
        client(node.url, timeout_s=0.2).send(signed.raw)
    assert caught.value.timed_out


@pytest.mark.parametrize("status", [429, 503, 403])
def test_a_send_that_nobody_took_is_unavailable(
    status: int, node: Any, client: Any, refused_url: str, signed: SignedTransaction
) -> None:
    node.will(node.body("", status=status))
    with pytest.raises(Unavailable):
        client(node.url, refused_url).send(signed.raw)


def test_a_send_that_a_lagging_node_refuses_goes_to_the_next(
    node: Any, second: Any, client: Any, signed: SignedTransaction
) -> None:
    node.will(node.error(-32002, "Blockhash not found", {"err": "BlockhashNotFound"}))
    second.will(second.result(signed.signature))
    assert client(node.url, second.url).send(signed.raw) == signed.signature


def test_a_send_that_everybody_refuses_is_rejected_with_the_reason(
    node: Any, client: Any, signed: SignedTransaction
) -> None:
    node.will(node.error(-32002, "Blockhash not found", {"err": "BlockhashNotFound", "logs": []}))
    with pytest.raises(Rejected) as caught:
        client(node.url).send(signed.raw)
    assert caught.value.is_blockhash_not_found


@pytest.mark.usefixtures("hurried")
def test_a_send_goes_to_the_next_endpoint_when_the_preferred_one_is_slow(
    node: Any, second: Any, client: Any, signed: SignedTransaction
) -> None:
    node.will(node.silence())
    second.will(second.result(signed.signature))
    assert client(node.url, second.url).send(signed.raw) == signed.signature


def test_a_send_everywhere_reaches_all_and_succeeds_if_one_takes_it(
    node: Any, second: Any, client: Any, signed: SignedTransaction
) -> None:
    node.will(node.body("", status=429))
    second.will(second.result(signed.signature))
    assert client(node.url, second.url).send(signed.raw, everywhere=True) == signed.signature
    assert (node.methods, second.methods) == (["sendTransaction"], ["sendTransaction"])


def test_statuses_can_be_asked_of_one_endpoint_by_name(node: Any, second: Any, client: Any) -> None:
    answer = {"context": {"slot": 5}, "value": [None]}
    second.will(second.result(answer))
    found = client(node.url, second.url).signature_statuses(["s"], search_history=True, endpoint=1)
    assert (found.endpoint, found.slot, found.statuses) == (1, 5, (None,))
    assert second.requests[0]["params"][1] == {"searchTransactionHistory": True}
    assert node.requests == []


def test_a_named_endpoint_that_fails_is_not_replaced_by_another(node: Any, second: Any, client: Any) -> None:
    node.will(node.error(-32005, "Node is behind"))
    with pytest.raises(NodeBehind):
        client(node.url, second.url).signature_statuses(["s"], search_history=True, endpoint=0)
    assert second.requests == []


def test_more_signatures_than_a_node_takes_are_refused_before_asking(node: Any, client: Any) -> None:
    with pytest.raises(ValueError, match="256"):
        client(node.url).signature_statuses(["s"] * 257, search_history=False)


def test_many_accounts_are_asked_in_parts_and_come_back_in_order(node: Any, client: Any) -> None:
    def answer(handler: Any, request: dict[str, Any]) -> None:
        values = [{"lamports": int(a), "owner": "o", "data": ["", "base64"]} for a in request["params"][0]]
        slot = 10 + len(values)
        node.result({"context": {"slot": slot}, "value": values})(handler, request)

    node.will(answer)
    slot, samples = client(node.url).accounts([str(n) for n in range(250)])
    assert slot == 60
    assert [sample.lamports for sample in samples if sample] == list(range(250))
    assert sorted(len(request["params"][0]) for request in node.requests) == [50, 100, 100]


def test_health_asks_every_endpoint_and_never_raises_for_a_sick_one(
    node: Any, second: Any, client: Any, refused_url: str
) -> None:
    node.will(node.result(1000))
    second.will(second.result(2000))
    first, lagging, sick = client(second.url, node.url, refused_url).health()
    assert (first.slot, first.slot_lag, first.host) == (2000, 0, second.host)
    assert lagging.slot_lag == 1000
    assert sick.errors == 1
    assert "cannot be reached" in (sick.last_error or "")


def test_connections_are_kept_alive(node: Any, client: Any) -> None:
    node.will(node.result(7))
    rpc = client(node.url)
    for _ in range(20):
        rpc.slot()
    assert len(node.connections) == 1


def test_many_threads_share_one_client(node: Any, client: Any) -> None:
    def echo(handler: Any, request: dict[str, Any]) -> None:
        node.result({"context": {"slot": 1}, "value": int(request["params"][0])})(handler, request)

    node.will(echo)
    rpc, found = client(node.url), dict[int, int]()
    threads = [threading.Thread(target=lambda n=n: found.update({n: rpc.balance(str(n))})) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == {n: n for n in range(20)}


def test_a_forked_child_starts_afresh(node: Any, client: Any) -> None:
    node.will(node.result(7))
    rpc = client(node.url)
    rpc.slot()
    child = os.fork()
    if child == 0:
        os._exit(0 if rpc.slot() == 7 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert rpc.slot() == 7


def test_a_closed_client_starts_again_when_asked(node: Any, client: Any) -> None:
    node.will(node.result(7))
    rpc = client(node.url)
    rpc.slot()
    rpc.close()
    assert rpc.slot() == 7


@pytest.mark.parametrize("trouble", ["http_401", "drop", "redirect"])
def test_no_error_and_no_log_shows_path_or_query_of_a_url(
    trouble: str, node: Any, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    troubles = {
        "http_401": node.body("", status=401),
        "drop": node.drop(),
        "redirect": node.body("", status=302, headers={"Location": node.url + "x"}),
    }
    node.will(troubles[trouble])
    rpc = client(node.url)
    with caplog.at_level(logging.INFO), pytest.raises(ChainError) as caught:
        rpc.slot()
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(rpc) + repr(rpc.endpoints())
    assert "KEY" not in shown
    assert node.host in shown
    chained: BaseException | None = caught.value
    while chained is not None:
        assert "KEY" not in str(chained)
        chained = chained.__cause__ or chained.__context__


def test_requests_are_counted_by_endpoint_method_and_result(node: Any, client: Any) -> None:
    node.will(node.result(7), node.error(-32602), node.body("", status=503))
    rpc = client(node.url)
    rpc.slot()
    for expected in (Rejected, Unavailable):
        with pytest.raises(expected):
            rpc.slot()
    for result in ("ok", "rejected", "unavailable"):
        labels = {"endpoint": node.host, "method": "getSlot", "result": result}
        assert REGISTRY.get_sample_value("solflow_rpc_requests_total", labels) == 1.0


def test_the_asyncio_client_moves_on_too(node: Any, second: Any) -> None:
    async def ask() -> tuple[int, list[Any]]:
        rpc = AsyncRpcClient([node.url, second.url])
        try:
            return await rpc.slot(), rpc.endpoints()
        finally:
            await rpc.close()

    node.will(node.body("", status=500))
    second.will(second.result(3))
    slot, endpoints = asyncio.run(ask())
    assert slot == 3
    assert [endpoint.errors for endpoint in endpoints] == [1, 0]
