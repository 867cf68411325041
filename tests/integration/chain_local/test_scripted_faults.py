from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from solders.keypair import Keypair
from websockets.exceptions import ConnectionClosed

from tests.integration.chain_local.wire import Socket, funded, payment, send
from tests.local_chain import LocalChain, RpcFailureError
from tests.waiting import wait_for

SOL = 10**9


def post(chain: LocalChain, method: str, timeout_s: float = 5.0) -> requests.Response:
    return requests.post(chain.rpc_url, json={"jsonrpc": "2.0", "id": 1, "method": method}, timeout=timeout_s)


def test_rate_limits_say_when_to_come_back(chain: LocalChain) -> None:
    chain.faults(rate_limit={"methods": ["getSlot"], "next": 1, "retry_after_s": 3})
    limited = post(chain, "getSlot")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
    assert post(chain, "getSlot").status_code == 200


def test_server_errors_have_the_asked_status(chain: LocalChain) -> None:
    chain.faults(server_error={"status": 502, "next": 1})
    assert post(chain, "getSlot").status_code == 502


def test_a_late_answer_still_comes(chain: LocalChain) -> None:
    chain.faults(delay={"methods": ["getHealth"], "delay_ms": 300})
    started = time.monotonic()
    assert post(chain, "getHealth").json()["result"] == "ok"
    assert time.monotonic() - started >= 0.3


def test_a_timeout_leaves_the_client_waiting(chain: LocalChain) -> None:
    chain.faults(timeout={"methods": ["getSlot"]})
    with pytest.raises(requests.ReadTimeout):
        post(chain, "getSlot", timeout_s=0.3)


def test_a_transaction_whose_answer_was_lost_has_landed(chain: LocalChain) -> None:
    transaction = payment(chain, funded(chain), Keypair().pubkey(), SOL)
    chain.faults(lose_answer={"methods": ["sendTransaction"], "next": 1})
    with pytest.raises(requests.ConnectionError):
        send(chain, transaction)
    assert chain.status(str(transaction.signatures[0])) is not None


def test_a_transaction_may_be_accepted_and_never_land(chain: LocalChain) -> None:
    alice, bob = funded(chain), Keypair().pubkey()
    chain.faults(never_land={"next": 1})
    transaction = payment(chain, alice, bob, SOL)
    signature = send(chain, transaction)
    chain.warp(2)
    assert chain.status(signature) is None
    assert send(chain, transaction) == signature
    assert chain.balance(bob) == SOL


def test_a_lagging_node_says_unknown_and_shows_an_old_height(chain: LocalChain) -> None:
    chain.warp(60)
    bob = Keypair().pubkey()
    signature = chain.airdrop(bob, SOL)
    chain.pause()
    slot = chain.slot()
    chain.faults(lag={"blocks": 50})
    assert chain.slot() == slot - 50
    assert chain.status(signature, search_history=True) is None
    assert chain.balance(bob) == 0
    chain.clear_faults("lag")
    assert chain.status(signature) is not None


def test_one_chain_under_two_paths_is_two_endpoints_of_which_one_forgets(chain: LocalChain) -> None:
    signature = chain.airdrop(Keypair().pubkey(), SOL)
    chain.warp(3)
    chain.faults(forget={"paths": ["/second"]})

    def ask(path: str, method: str, *params: object) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return requests.post(chain.rpc_url + path, json=body, timeout=5).json()["result"]

    first, second = (ask(path, "getSignatureStatuses", [signature])["value"][0] for path in ("/first", "/second"))
    assert (first["err"], second) == (None, None)
    assert ask("/second", "getSignatureStatuses", [signature])["context"]["slot"] >= chain.slot("processed") - 1
    confirmed = {"commitment": "confirmed"}
    assert ask("/first", "getTransaction", signature, confirmed)["transaction"]
    assert ask("/second", "getTransaction", signature, confirmed) is None


def test_a_scripted_error_replaces_the_answer(chain: LocalChain) -> None:
    chain.faults(error={"methods": ["getHealth"]})
    with pytest.raises(RpcFailureError, match="Node is behind") as failure:
        chain.call("getHealth")
    assert failure.value.code == -32005
    assert chain.fired("error") == 1


def test_all_sockets_can_be_cut_at_once(chain: LocalChain) -> None:
    with Socket(chain) as first, Socket(chain) as second:
        first.subscribe("slotSubscribe")
        second.subscribe("slotSubscribe")
        assert chain.drop_sockets() >= 2
        for socket in (first, second):
            with pytest.raises(ConnectionClosed):
                while True:
                    socket.receive()


def test_sockets_can_be_cut_again_and_again(chain: LocalChain) -> None:
    chain.faults(drop_sockets={"every_s": 0.1})
    with Socket(chain) as socket, pytest.raises(ConnectionClosed):
        socket.receive()
    wait_for(lambda: chain.fired("drop_sockets") >= 2)


def test_a_stalled_socket_is_silent_until_the_fault_is_lifted(chain: LocalChain) -> None:
    with Socket(chain) as socket:
        socket.subscribe("slotSubscribe")
        socket.receive()
        chain.faults(stall_sockets={})
        with pytest.raises(TimeoutError):
            while True:
                socket.receive(timeout_s=0.4)
        chain.clear_faults("stall_sockets")
        assert socket.receive()["result"]["slot"] > 0


def test_a_new_socket_is_stalled_too(chain: LocalChain) -> None:
    chain.faults(stall_sockets={})
    with Socket(chain) as socket:
        with pytest.raises(TimeoutError):
            socket.receive(timeout_s=0.2)
        chain.clear_faults()
        assert socket.subscribe("slotSubscribe") > 0


def test_a_stall_can_be_lifted_after_the_stalled_sockets_were_cut(chain: LocalChain) -> None:
    with Socket(chain) as socket:
        socket.subscribe("slotSubscribe")
        chain.faults(stall_sockets={})
        chain.drop_sockets()
        chain.clear_faults()
    with Socket(chain) as socket:
        assert socket.subscribe("slotSubscribe") > 0


def test_notifications_come_twice_when_duplicated(chain: LocalChain) -> None:
    with Socket(chain) as socket:
        socket.subscribe("slotSubscribe")
        chain.faults(duplicate={"methods": ["slotNotification"]})
        slots = [socket.receive()["result"]["slot"] for _ in range(6)]
        assert len(set(slots)) < len(slots)


def test_notifications_change_places_when_reordered(chain: LocalChain) -> None:
    with Socket(chain) as socket:
        socket.subscribe("slotSubscribe")
        chain.faults(reorder={"methods": ["slotNotification"]})
        slots = [socket.receive()["result"]["slot"] for _ in range(6)]
        assert slots != sorted(slots)
        assert len(set(slots)) == len(slots)


def test_a_malformed_notification_is_no_json(chain: LocalChain) -> None:
    with Socket(chain) as socket:
        socket.subscribe("slotSubscribe")
        chain.faults(malformed={"next": 1})
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            for _ in range(5):
                socket.receive()


def test_a_notification_can_carry_another_banks_slot(chain: LocalChain) -> None:
    bob = Keypair().pubkey()
    with Socket(chain) as socket:
        socket.subscribe("accountSubscribe", str(bob), {"commitment": "processed"})
        chain.pause()
        chain.faults(slot_offset={"slots": 5, "methods": ["accountNotification"]})
        chain.airdrop(bob, SOL)
        slot = chain.slot()
        chain.warp(1)
        assert socket.receive()["result"]["context"]["slot"] == slot + 5


def test_lifting_faults_is_never_faulted(chain: LocalChain) -> None:
    chain.faults(timeout={}, rate_limit={}, error={})
    chain.clear_faults()
    assert chain.call("getHealth") == "ok"
