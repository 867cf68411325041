"""The command: how it starts, refuses to start, stops, and what is there after a kill -9."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.keypair import Keypair

from tests.integration.chain_local.wire import blockhash, funded, payment, send
from tests.local_chain import ROOT, LocalChain

SOL = 10**9


@pytest.fixture
def durable_chain(tmp_path: Path) -> Iterator[LocalChain]:
    with LocalChain(slot_ms=40, data_dir=tmp_path / "chain") as chain:
        yield chain


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chain.local", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30
    )


def test_a_port_in_use_is_told_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--rpc-port", str(port))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"local chain: cannot listen on 127.0.0.1, ports {port} and {port + 1}: ")
    assert ended.stderr.count("\n") == 1


def test_a_data_directory_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run("--rpc-port", "29999", "--data-dir", str(tmp_path / "file" / "chain"))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"local chain: data directory {tmp_path / 'file' / 'chain'}: ")
    assert ended.stderr.count("\n") == 1


def test_a_second_chain_on_one_data_directory_is_refused(durable_chain: LocalChain, tmp_path: Path) -> None:
    ended = run("--rpc-port", "29999", "--data-dir", str(tmp_path / "chain"))
    assert ended.returncode == 1
    assert "another local chain is running on it" in ended.stderr


def test_a_bad_option_is_refused() -> None:
    assert run("--rpc-port", "70000").returncode == 2
    assert run("--slot-ms", "0").returncode == 2


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(signal_number: signal.Signals) -> None:
    chain = LocalChain(slot_ms=40).start()
    assert chain.stop(signal_number) == 0
    assert chain.errors() == ""


def test_what_was_confirmed_survives_a_kill(durable_chain: LocalChain) -> None:
    chain = durable_chain
    alice, bob = funded(chain), Keypair().pubkey()
    signature = send(chain, payment(chain, alice, bob, SOL))
    slot = chain.wait_for_status(signature)["slot"]
    genesis, newest = chain.call("getGenesisHash"), chain.slot("confirmed")
    chain.kill()
    chain.start()
    assert chain.call("getGenesisHash") == genesis
    assert chain.slot() > newest
    assert chain.balance(bob, "finalized") == SOL
    status = chain.status(signature)
    assert status is not None
    assert (status["slot"], status["confirmationStatus"]) == (slot, "finalized")
    config = {"maxSupportedTransactionVersion": 0}
    assert chain.call("getTransaction", [signature, config])["meta"]["postBalances"][1] == SOL


def test_what_was_only_processed_is_lost_by_a_kill_and_can_be_sent_again(durable_chain: LocalChain) -> None:
    chain = durable_chain
    alice, bob = funded(chain), Keypair().pubkey()
    chain.wait_for_status(chain.airdrop(alice.pubkey(), SOL))
    known = blockhash(chain, "confirmed")
    chain.pause()
    transaction = payment(chain, alice, bob, SOL)
    signature = send(chain, transaction)
    chain.kill()
    chain.start()
    assert chain.status(signature, search_history=True) is None
    assert chain.balance(bob) == 0
    assert chain.call("isBlockhashValid", [known, {"commitment": "processed"}])["value"] is True


def test_a_transaction_signed_before_a_restart_lands_after_it_once(durable_chain: LocalChain) -> None:
    chain = durable_chain
    alice, bob = funded(chain), Keypair().pubkey()
    transaction = payment(chain, alice, bob, SOL)
    chain.wait_for_status(chain.airdrop(bob, SOL))
    chain.restart()
    signature = send(chain, transaction, skipPreflight=True)
    chain.wait_for_status(signature)
    chain.kill()
    chain.start()
    assert send(chain, transaction, skipPreflight=True) == signature
    assert chain.balance(bob) == 2 * SOL


def test_airdrops_go_on_after_restarts(durable_chain: LocalChain) -> None:
    bob = Keypair().pubkey()
    for expected in (SOL, 2 * SOL, 3 * SOL):
        durable_chain.wait_for_status(durable_chain.airdrop(bob, SOL))
        assert durable_chain.balance(bob) == expected
        durable_chain.restart()
