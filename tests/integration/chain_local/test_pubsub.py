from __future__ import annotations

import base64

import pytest
from solders.keypair import Keypair

from tests.integration.chain_local.wire import Socket, funded, payment, send
from tests.local_chain import LocalChain

SOL = 10**9


def test_an_account_is_told_once_a_block_with_its_last_state(chain: LocalChain) -> None:
    bob = Keypair().pubkey()
    with Socket(chain) as socket:
        config = {"commitment": "processed", "encoding": "base64"}
        subscription = socket.subscribe("accountSubscribe", str(bob), config)
        chain.pause()
        chain.airdrop(bob, SOL)
        chain.airdrop(bob, 2 * SOL)
        slot = chain.slot()
        chain.warp(1)
        notification = socket.receive()
        assert notification["subscription"] == subscription
        assert notification["result"]["context"]["slot"] == slot
        assert notification["result"]["value"]["lamports"] == 3 * SOL
        with pytest.raises(TimeoutError):
            socket.receive(timeout_s=0.2)


def test_each_commitment_is_told_when_its_block_gets_there(chain: LocalChain) -> None:
    bob = Keypair().pubkey()
    with Socket(chain) as socket:
        names = {
            socket.subscribe("accountSubscribe", str(bob), {"commitment": name}): name
            for name in ("processed", "confirmed", "finalized")
        }
        chain.pause()
        chain.airdrop(bob, SOL)
        slot = chain.slot()
        told = []
        for warped in (1, 1, 30):
            chain.warp(warped)
            notification = socket.receive()
            told.append(names[notification["subscription"]])
            assert notification["result"]["context"]["slot"] == slot
        assert told == ["processed", "confirmed", "finalized"]


def test_an_emptied_account_is_told_with_nothing_in_it(chain: LocalChain) -> None:
    alice = funded(chain, SOL)
    with Socket(chain) as socket:
        socket.subscribe("accountSubscribe", str(alice.pubkey()), {"commitment": "processed", "encoding": "base64"})
        send(chain, payment(chain, alice, Keypair().pubkey(), SOL - 5_000))
        lamports = [socket.receive()["result"]["value"]["lamports"]]
        while lamports[-1] != 0:  # the airdrop's block may have been told first
            lamports.append(socket.receive()["result"]["value"]["lamports"])
        assert lamports in ([0], [SOL, 0])


def test_logs_come_to_who_is_mentioned_and_to_who_wants_all(chain: LocalChain) -> None:
    alice, bob = funded(chain), Keypair().pubkey()
    with Socket(chain) as mentions, Socket(chain) as everything, Socket(chain) as stranger:
        mentions.subscribe("logsSubscribe", {"mentions": [str(bob)]}, {"commitment": "processed"})
        everything.subscribe("logsSubscribe", "all", {"commitment": "processed"})
        stranger.subscribe("logsSubscribe", {"mentions": [str(Keypair().pubkey())]}, {"commitment": "processed"})
        signature = send(chain, payment(chain, alice, bob, SOL))
        value = mentions.receive()["result"]["value"]
        assert (value["signature"], value["err"]) == (signature, None)
        assert value["logs"][0] == "Program 11111111111111111111111111111111 invoke [1]"
        while everything.receive()["result"]["value"]["signature"] != signature:
            pass
        with pytest.raises(TimeoutError):
            stranger.receive(timeout_s=0.2)


def test_logs_take_one_address_only(chain: LocalChain) -> None:
    with Socket(chain) as socket:
        two = {"mentions": [str(Keypair().pubkey()), str(Keypair().pubkey())]}
        assert socket.request("logsSubscribe", two)["error"]["code"] == -32602


def test_program_accounts_are_told_where_the_filters_pass(chain: LocalChain) -> None:
    owner, small, large = (Keypair().pubkey() for _ in range(3))
    with Socket(chain) as socket:
        config = {"commitment": "processed", "encoding": "base64", "filters": [{"dataSize": 4}]}
        socket.subscribe("programSubscribe", str(owner), config)
        for address, size in ((small, 3), (large, 4)):
            data = base64.b64encode(bytes(size)).decode()
            chain.set_account(address, lamports=SOL, owner=str(owner), data=data)
        value = socket.receive()["result"]["value"]
        assert value["pubkey"] == str(large)
        assert value["account"]["space"] == 4


def test_a_signature_is_told_once_also_when_it_landed_before(chain: LocalChain) -> None:
    alice = funded(chain)
    signature = send(chain, payment(chain, alice, Keypair().pubkey(), SOL))
    with Socket(chain) as socket:
        subscription = socket.subscribe("signatureSubscribe", signature, {"commitment": "confirmed"})
        assert socket.receive()["result"]["value"] == {"err": None}
        assert socket.request("signatureUnsubscribe", subscription)["error"]["code"] == -32602
        socket.subscribe("signatureSubscribe", signature, {"commitment": "processed"})
        assert socket.receive()["result"]["value"] == {"err": None}


def test_a_received_signature_is_told_to_who_asks_for_it(chain: LocalChain) -> None:
    alice = funded(chain)
    transaction = payment(chain, alice, Keypair().pubkey(), SOL)
    with Socket(chain) as socket:
        config = {"commitment": "confirmed", "enableReceivedNotification": True}
        socket.subscribe("signatureSubscribe", str(transaction.signatures[0]), config)
        send(chain, transaction)
        assert [socket.receive()["result"]["value"] for _ in range(2)] == ["receivedSignature", {"err": None}]


def test_slots_roots_updates_votes_and_blocks_are_told(chain: LocalChain) -> None:
    chain.warp(40)
    with Socket(chain) as socket:
        block_config = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
        kinds = {
            socket.subscribe("slotSubscribe"): "slot",
            socket.subscribe("rootSubscribe"): "root",
            socket.subscribe("slotsUpdatesSubscribe"): "update",
            socket.subscribe("voteSubscribe"): "vote",
            socket.subscribe("blockSubscribe", "all", block_config): "block",
        }
        told: dict[str, dict[str, object]] = {}
        while len(told) < len(kinds):
            notification = socket.receive()
            told[kinds[notification["subscription"]]] = notification["result"]
        slot = told["slot"]
        assert slot["slot"] == slot["parent"] + 1 == slot["root"] + 32


def test_after_unsubscribing_nothing_comes(chain: LocalChain) -> None:
    with Socket(chain) as socket:
        subscription = socket.subscribe("slotSubscribe")
        socket.receive()
        assert socket.request("slotUnsubscribe", subscription)["result"] is True
        socket.seen.clear()
        with pytest.raises(TimeoutError):
            socket.receive(timeout_s=0.3)


def test_a_subscription_belongs_to_its_connection(chain: LocalChain) -> None:
    with Socket(chain) as owner, Socket(chain) as stranger:
        subscription = owner.subscribe("slotSubscribe")
        assert stranger.request("slotUnsubscribe", subscription)["error"]["code"] == -32602


def test_other_methods_are_unknown_on_the_socket(chain: LocalChain) -> None:
    with Socket(chain) as socket:
        assert socket.request("getSlot")["error"]["code"] == -32601


def test_a_lost_fork_is_told_as_the_state_from_before(chain: LocalChain) -> None:
    bob = Keypair().pubkey()
    chain.airdrop(bob, SOL)
    chain.pause()
    chain.warp(1)
    with Socket(chain) as socket:
        socket.subscribe("accountSubscribe", str(bob), {"commitment": "processed"})
        chain.airdrop(bob, SOL)
        chain.warp(1)
        assert socket.receive()["result"]["value"]["lamports"] == 2 * SOL
        chain.rollback(2)
        chain.warp(1)
        assert socket.receive()["result"]["value"]["lamports"] == SOL
