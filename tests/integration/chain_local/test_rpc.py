from __future__ import annotations

import base64
import socket

import base58
import pytest
import requests
from solders.keypair import Keypair
from solders.transaction import VersionedTransaction

from tests.integration.chain_local.wire import blockhash, funded, payment, send, simulate
from tests.local_chain import LocalChain, RpcFailureError
from tests.waiting import wait_for

SOL = 10**9


def failure_of(chain: LocalChain, method: str, *params: object) -> RpcFailureError:
    with pytest.raises(RpcFailureError) as failure:
        chain.call(method, list(params))
    return failure.value


def test_an_airdrop_has_executed_when_it_answers(chain: LocalChain) -> None:
    bob = Keypair().pubkey()
    signature = chain.airdrop(bob, SOL)
    assert chain.balance(bob) == SOL
    status = chain.status(signature)
    assert status is not None
    assert status["err"] is None


def test_slots_advance_by_themselves(chain: LocalChain) -> None:
    before = chain.slot()
    wait_for(lambda: chain.slot() >= before + 3)


def test_commitments_come_one_after_the_other(chain: LocalChain) -> None:
    chain.pause()
    bob = Keypair().pubkey()
    signature = chain.airdrop(bob, SOL)
    seen = []
    for _ in range(33):
        status = chain.status(signature)
        assert status is not None
        seen.append((status["confirmationStatus"], status["confirmations"]))
        chain.warp(1)
    assert seen[0] == ("processed", 0)
    assert seen[2] == ("confirmed", 2)
    assert seen[32] == ("finalized", None)


def test_a_sent_transaction_is_found_by_signature_address_and_block(chain: LocalChain) -> None:
    alice, bob = funded(chain), Keypair().pubkey()
    signature = send(chain, payment(chain, alice, bob, SOL))
    slot = chain.wait_for_status(signature)["slot"]
    config = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
    found = chain.call("getTransaction", [signature, config])
    assert (found["slot"], found["meta"]["postBalances"][1]) == (slot, SOL)
    history = chain.call("getSignaturesForAddress", [str(bob), {"commitment": "confirmed"}])
    assert [item["signature"] for item in history] == [signature]
    block = chain.call("getBlock", [slot, {**config, "transactionDetails": "signatures"}])
    assert signature in block["signatures"]


def test_history_is_paged_by_before_until_and_limit(chain: LocalChain) -> None:
    alice, bob = funded(chain), Keypair().pubkey()
    sent = [send(chain, payment(chain, alice, bob, SOL + number)) for number in range(5)]
    chain.wait_for_status(sent[-1])

    def page(**config: object) -> list[str]:
        found = chain.call("getSignaturesForAddress", [str(bob), {"commitment": "confirmed", **config}])
        return [item["signature"] for item in found]

    newest_first = sent[::-1]
    assert page() == newest_first
    assert page(limit=2) == newest_first[:2]
    assert page(before=newest_first[1]) == newest_first[2:]
    assert page(until=newest_first[3]) == newest_first[:3]
    assert page(before=newest_first[0], until=newest_first[4]) == newest_first[1:4]
    stranger = chain.airdrop(Keypair().pubkey(), SOL)
    assert page(until=str(Keypair().sign_message(b"unknown"))) == newest_first
    assert page(before=str(Keypair().sign_message(b"unknown"))) == []
    assert stranger not in page()


def test_old_statuses_need_the_history_search(chain: LocalChain) -> None:
    signature = chain.airdrop(Keypair().pubkey(), SOL)
    chain.warp(301)
    assert chain.status(signature) is None
    status = chain.status(signature, search_history=True)
    assert status is not None
    assert status["confirmationStatus"] == "finalized"


def test_the_same_bytes_are_refused_by_preflight_and_ignored_without_it(chain: LocalChain) -> None:
    alice, bob = funded(chain), Keypair().pubkey()
    transaction = payment(chain, alice, bob, SOL)
    signature = send(chain, transaction)
    assert send(chain, transaction, skipPreflight=True) == signature
    with pytest.raises(RpcFailureError, match="already been processed") as failure:
        send(chain, transaction)
    assert (failure.value.code, failure.value.data["err"]) == (-32002, "AlreadyProcessed")
    assert chain.balance(bob) == SOL


def test_an_expired_transaction_is_taken_without_preflight_and_never_lands(chain: LocalChain) -> None:
    alice, bob = funded(chain), Keypair().pubkey()
    transaction = payment(chain, alice, bob, SOL)
    chain.warp(151)
    signature = send(chain, transaction, skipPreflight=True)
    assert signature == str(transaction.signatures[0])
    chain.warp(3)
    assert chain.status(signature, search_history=True) is None
    assert chain.balance(bob) == 0
    with pytest.raises(RpcFailureError, match="Blockhash not found"):
        send(chain, transaction)


def test_preflight_at_an_older_commitment_does_not_know_a_new_blockhash(chain: LocalChain) -> None:
    transaction = payment(chain, funded(chain), Keypair().pubkey(), SOL)
    with pytest.raises(RpcFailureError, match="Blockhash not found"):
        send(chain, transaction, preflightCommitment="finalized")


def test_a_blockhash_tells_its_last_valid_height(chain: LocalChain) -> None:
    chain.pause()
    value = chain.call("getLatestBlockhash", [{"commitment": "processed"}])["value"]
    height = chain.call("getBlockHeight", [{"commitment": "processed"}])
    assert value["lastValidBlockHeight"] == height + 150
    valid = ["isBlockhashValid", [value["blockhash"], {"commitment": "processed"}]]
    chain.warp(150)
    assert chain.call(*valid)["value"] is True
    chain.warp(1)
    assert chain.call(*valid)["value"] is False


def test_skipped_slots_have_no_block_and_do_not_count_as_height(chain: LocalChain) -> None:
    chain.pause()
    slot, height = chain.slot(), chain.call("getBlockHeight", [{"commitment": "processed"}])
    chain.warp(5, skipped=True)
    chain.warp(40)
    assert chain.call("getBlockHeight", [{"commitment": "processed"}]) == height + 41
    assert failure_of(chain, "getBlock", slot + 3).code == -32007
    assert slot + 3 not in chain.call("getBlocks", [slot, slot + 10])


def test_simulation_shows_what_would_leave_and_leaves_nothing(chain: LocalChain) -> None:
    alice, bob = funded(chain), Keypair().pubkey()
    before = chain.balance(alice.pubkey())
    value = simulate(
        chain,
        payment(chain, alice, bob, SOL),
        sigVerify=True,
        innerInstructions=True,
        accounts={"encoding": "base64", "addresses": [str(bob)]},
    )
    assert (value["err"], value["fee"], value["unitsConsumed"]) == (None, 5_000, 150)
    assert value["preBalances"][0] - value["postBalances"][0] == SOL + 5_000
    assert value["accounts"][0]["lamports"] == SOL
    assert value["loadedAddresses"] == {"readonly": [], "writable": []}
    assert chain.balance(alice.pubkey()) == before


def test_simulation_of_a_failure_charges_the_fee_alone(chain: LocalChain) -> None:
    alice = funded(chain, SOL)
    value = simulate(chain, payment(chain, alice, Keypair().pubkey(), 5 * SOL))
    assert value["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert value["preBalances"][0] - value["postBalances"][0] == 5_000


def test_simulation_can_replace_an_old_blockhash_and_skip_signatures(chain: LocalChain) -> None:
    genuine = payment(chain, funded(chain), Keypair().pubkey(), SOL)
    unsigned = VersionedTransaction.populate(genuine.message, [Keypair().sign_message(b"other")])
    chain.warp(151)
    assert simulate(chain, unsigned)["err"] == "BlockhashNotFound"
    replaced = simulate(chain, unsigned, replaceRecentBlockhash=True)
    assert replaced["err"] is None
    assert replaced["replacementBlockhash"]["blockhash"] != str(genuine.message.recent_blockhash)
    with pytest.raises(RpcFailureError, match="sigVerify may not be used"):
        simulate(chain, unsigned, replaceRecentBlockhash=True, sigVerify=True)
    with pytest.raises(RpcFailureError) as failure:
        simulate(chain, unsigned, sigVerify=True)
    assert failure.value.code == -32003


def test_a_forged_signature_is_refused_by_preflight(chain: LocalChain) -> None:
    genuine = payment(chain, funded(chain), Keypair().pubkey(), SOL)
    forged = VersionedTransaction.populate(genuine.message, [Keypair().sign_message(b"other")])
    with pytest.raises(RpcFailureError) as failure:
        send(chain, forged)
    assert failure.value.code == -32003


def test_the_fee_of_a_message_is_known_before_it_is_sent(chain: LocalChain) -> None:
    transaction = payment(chain, funded(chain), Keypair().pubkey(), SOL)
    message = base64.b64encode(b"\x80" + bytes(transaction.message)).decode()
    assert chain.call("getFeeForMessage", [message, {"commitment": "processed"}])["value"] == 5_000
    chain.warp(151)
    assert chain.call("getFeeForMessage", [message, {"commitment": "processed"}])["value"] is None


def test_rent_follows_the_size(chain: LocalChain) -> None:
    empty, token = (chain.call("getMinimumBalanceForRentExemption", [size]) for size in (0, 165))
    assert 0 < empty < token


def test_standard_errors_have_their_codes(chain: LocalChain) -> None:
    bob = str(Keypair().pubkey())
    assert failure_of(chain, "noSuchMethod").code == -32601
    assert failure_of(chain, "getBalance", "not an address").code == -32602
    assert failure_of(chain, "getBlock", 10**9).code == -32004
    late = failure_of(chain, "getBalance", bob, {"minContextSlot": 10**9})
    assert late.code == -32016
    assert late.data["contextSlot"] <= chain.slot("finalized")
    below = failure_of(chain, "getTransaction", str(Keypair().sign_message(b"x")), {"commitment": "processed"})
    assert below.message == "Method does not support commitment below `confirmed`"
    assert failure_of(chain, "sendTransaction", "AAAA", {"encoding": "base64"}).code == -32602
    assert failure_of(chain, "getSignatureStatuses", ["1"] * 257).message == "Too many inputs provided; max 256"


def test_an_account_that_does_not_exist_is_null_with_a_context(chain: LocalChain) -> None:
    answer = chain.call("getAccountInfo", [str(Keypair().pubkey()), {"encoding": "base64"}])
    assert answer["value"] is None
    assert answer["context"]["slot"] <= chain.slot("finalized")


def test_program_accounts_are_filtered_sliced_and_sorted(chain: LocalChain) -> None:
    owner = str(Keypair().pubkey())
    for size in (3, 4, 4):
        chain.set_account(
            Keypair().pubkey(), lamports=SOL, owner=owner, data=base64.b64encode(bytes([7] * size)).decode()
        )
    config = {"commitment": "processed", "encoding": "base64", "dataSlice": {"offset": 1, "length": 1}}
    found = chain.call("getProgramAccounts", [owner, {**config, "filters": [{"dataSize": 4}]}])
    assert len(found) == 2
    assert {item["account"]["data"][0] for item in found} == {"Bw=="}
    with_context = chain.call("getProgramAccounts", [owner, {**config, "withContext": True}])
    assert len(with_context["value"]) == 3


def test_batches_and_keep_alive_work_over_plain_http(chain: LocalChain) -> None:
    body = [{"jsonrpc": "2.0", "id": number, "method": "getHealth"} for number in range(3)]
    with requests.Session() as session:
        answers = session.post(chain.rpc_url, json=body, timeout=5).json()
        assert [(item["id"], item["result"]) for item in answers] == [(0, "ok"), (1, "ok"), (2, "ok")]
        assert session.get(f"{chain.rpc_url}/health", timeout=5).text == "ok"
        assert session.get(chain.rpc_url, timeout=5).status_code == 405
        assert session.post(chain.rpc_url, data=b"x" * (5 * 1024 * 1024), timeout=10).status_code == 413


def test_pipelined_requests_are_answered_in_order(chain: LocalChain) -> None:
    request = b'{"jsonrpc":"2.0","id":%d,"method":"getHealth"}'
    with socket.create_connection(("127.0.0.1", chain.rpc_port)) as connection:
        for number in range(5):
            body = request % number
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        received = b""
        while received.count(b'"id"') < 5:
            received += connection.recv(65_536)
    positions = [received.index(b'"id":%d' % number) for number in range(5)]
    assert positions == sorted(positions)


def test_garbage_is_answered_with_400_and_the_connection_closed(chain: LocalChain) -> None:
    with socket.create_connection(("127.0.0.1", chain.rpc_port)) as connection:
        connection.sendall(b"\x00\x01 nonsense\r\n\r\n")
        assert connection.recv(1_024).startswith(b"HTTP/1.1 400")
        assert connection.recv(1_024) == b""


def test_a_base58_transaction_is_the_default(chain: LocalChain) -> None:
    transaction = payment(chain, funded(chain), Keypair().pubkey(), SOL)
    text = base58.b58encode(bytes(transaction)).decode()
    assert chain.call("sendTransaction", [text, {"preflightCommitment": "processed"}]) == str(transaction.signatures[0])


def test_a_transaction_longer_than_a_packet_is_refused(chain: LocalChain) -> None:
    too_long = base64.b64encode(bytes(1_240)).decode()
    assert "too large" in failure_of(chain, "sendTransaction", too_long, {"encoding": "base64"}).message


def test_a_rolled_back_transaction_is_unknown_to_everybody(chain: LocalChain) -> None:
    alice, bob = funded(chain), Keypair().pubkey()
    chain.wait_for_status(send(chain, payment(chain, alice, Keypair().pubkey(), SOL)))
    chain.pause()
    transaction = payment(chain, alice, bob, SOL)
    signature = send(chain, transaction)
    chain.warp(4)
    status = chain.status(signature)
    assert status is not None
    assert status["confirmationStatus"] == "confirmed"
    chain.rollback(6)
    assert chain.status(signature, search_history=True) is None
    assert chain.balance(bob) == 0
    assert blockhash(chain) != str(transaction.message.recent_blockhash)
