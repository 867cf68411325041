from __future__ import annotations

from pathlib import Path

import pytest
from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.local.errors import ChainDataError
from chain.local.ledger import Ledger
from chain.local.store import FILE_NAME, Store
from chain.local.store_codec import decode_account, encode_account
from tests.unit.chain_local.building import SOL, advance, balance, funded, pay, payment

BOB = Keypair().pubkey()


def test_a_chain_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        ledger = Ledger(store)
        alice = funded(ledger)
        record = pay(ledger, alice, BOB, SOL).record
        advance(ledger, 3)
        before = (ledger.genesis_hash, ledger.faucet.pubkey(), ledger.node, ledger.transaction_count)
        last_closed = ledger.blocks.last(2)[0]
    with Store(tmp_path) as store:
        again = Ledger(store)
        assert (again.genesis_hash, again.faucet.pubkey(), again.node, again.transaction_count) == before
        assert balance(again, BOB, "finalized") == SOL
        assert again.tip.slot > last_closed.slot
        assert again.tip.height == last_closed.height + 1
        assert record is not None
        assert again.store.transaction(record.signature) == record


def test_blockhashes_and_statuses_outlive_a_restart(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        ledger = Ledger(store)
        alice = funded(ledger)
        landed, unsent = payment(ledger, alice, BOB, SOL), payment(ledger, alice, BOB, 2 * SOL)
        ledger.submit(landed)
        advance(ledger, 1)
    with Store(tmp_path) as store:
        again = Ledger(store)
        assert again.submit(landed).error == "AlreadyProcessed"
        assert again.submit(unsent).error is None
        assert balance(again, BOB) == 3 * SOL


def test_no_slot_is_used_twice(tmp_path: Path) -> None:
    seen: list[int] = []
    for _ in range(3):
        with Store(tmp_path) as store:
            ledger = Ledger(store)
            seen.append(ledger.tip.slot)
            ledger.advance()
            seen.append(ledger.tip.slot)
    assert seen == sorted(set(seen))


def test_only_the_open_block_is_lost(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        ledger = Ledger(store)
        alice = funded(ledger)
        advance(ledger, 1)
        pay(ledger, alice, BOB, SOL)
    with Store(tmp_path) as store:
        again = Ledger(store)
        assert balance(again, BOB) == 0
        assert balance(again, alice.pubkey()) == 10 * SOL


def test_a_torn_end_of_the_journal_loses_the_last_block_and_nothing_else(tmp_path: Path) -> None:
    snapshot = tmp_path / "torn"
    snapshot.mkdir()
    with Store(tmp_path / "chain") as store:
        ledger = Ledger(store)
        alice = funded(ledger)
        advance(ledger, 1)
        pay(ledger, alice, BOB, SOL)
        advance(ledger, 1)
        pay(ledger, alice, BOB, 2 * SOL)
        advance(ledger, 1)
        for name in (FILE_NAME, f"{FILE_NAME}-wal"):
            (snapshot / name).write_bytes((tmp_path / "chain" / name).read_bytes())
    journal = snapshot / f"{FILE_NAME}-wal"
    journal.write_bytes(journal.read_bytes()[:-100])
    with Store(snapshot) as store:
        assert balance(Ledger(store), BOB) == SOL


def test_a_second_chain_on_the_same_directory_is_refused_in_one_line(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(ChainDataError, match="another local chain is running on it") as refusal:
        Store(tmp_path)
    assert "\n" not in str(refusal.value)


def test_a_directory_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ChainDataError, match="data directory") as refusal:
        Store(tmp_path / "file" / "chain")
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_no_chain_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"something else entirely" * 100)
    with pytest.raises(ChainDataError):
        Store(tmp_path)


def test_a_closed_account_stays_closed_after_a_restart(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        ledger = Ledger(store)
        funded_account = funded(ledger).pubkey()
        advance(ledger, 1)
        ledger.set_account(funded_account, Account(0, b"", Pubkey.default()))
        advance(ledger, 1)
    with Store(tmp_path) as store:
        assert balance(Ledger(store), funded_account) == 0


def test_a_program_set_by_a_test_still_runs_after_a_restart(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        ledger = Ledger(store)
        program = ledger.svm.get_account(Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"))
        assert program is not None
        ledger.set_account(BOB, program)
        advance(ledger, 1)
    with Store(tmp_path) as store:
        assert Ledger(store).svm.get_account(BOB) == program


def test_every_account_survives_its_stored_form() -> None:
    account = Account(2**64 - 1, b"\x00\x01data", BOB, True, 2**64 - 1)
    assert decode_account(encode_account(account)) == account


def test_the_history_of_an_address_is_paged_newest_first() -> None:
    with Store(None) as store:
        ledger = Ledger(store)
        alice = funded(ledger)
        for lamports in range(SOL, SOL + 5):
            pay(ledger, alice, BOB, lamports)
        advance(ledger, 1)
        newest = store.history(str(BOB), after_id=-1, before_id=2**62, limit=2)
        assert [record.position for record in newest] == [5, 4]


def test_old_empty_blocks_are_pruned_and_those_with_transactions_kept() -> None:
    with Store(None) as store:
        ledger = Ledger(store)
        funded(ledger)
        ledger.advance()
        empty_slot = ledger.tip.slot
        ledger.advance()
        next_prune = 4_096 * 200
        ledger.advance(skipped=next_prune - ledger.tip.slot - 1)
        ledger.advance()
        assert store.block(empty_slot) is None
        assert store.block(empty_slot - 1) is not None
