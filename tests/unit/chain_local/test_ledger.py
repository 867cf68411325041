from __future__ import annotations

import pytest
from solders.account import Account
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    advance_nonce_account,
    create_nonce_account,
)
from solders.transaction import VersionedTransaction

from chain.local.ledger import CONFIRMED_DEPTH, FINALIZED_DEPTH, Ledger
from chain.local.programs import ADDRESS_LOOKUP_TABLE, NATIVE_MINT, SYSTEM
from chain.local.transactions import stored_nonce
from tests.unit.chain_local.building import SOL, advance, balance, funded, pay, payment, signed, transfer_of

BOB = Keypair().pubkey()


def test_a_payment_moves_lamports_and_costs_a_fee(ledger: Ledger) -> None:
    alice = funded(ledger)
    execution = pay(ledger, alice, BOB, SOL)
    assert execution.error is None
    assert balance(ledger, BOB) == SOL
    assert balance(ledger, alice.pubkey()) == 9 * SOL - 5_000


def test_the_record_explains_every_lamport(ledger: Ledger) -> None:
    record = pay(ledger, funded(ledger), BOB, SOL).record
    assert record is not None
    assert sum(record.pre_balances) - sum(record.post_balances) == record.fee_lamports == 5_000
    assert record.post_balances[1] == SOL


def test_a_payment_is_seen_at_a_commitment_only_when_its_block_gets_there(ledger: Ledger) -> None:
    alice = funded(ledger)
    pay(ledger, alice, BOB, SOL)
    advance(ledger, CONFIRMED_DEPTH - 1)
    assert balance(ledger, BOB, "confirmed") == 0
    advance(ledger, 1)
    assert balance(ledger, BOB, "confirmed") == SOL
    advance(ledger, FINALIZED_DEPTH - CONFIRMED_DEPTH - 1)
    assert balance(ledger, BOB, "finalized") == 0
    advance(ledger, 1)
    assert balance(ledger, BOB, "finalized") == SOL


def test_accounts_of_a_program_are_listed_as_the_bank_left_them(ledger: Ledger) -> None:
    alice = funded(ledger)
    advance(ledger, FINALIZED_DEPTH)
    pay(ledger, alice, BOB, SOL)
    finalized = ledger.accounts_owned_by(SYSTEM, ledger.blocks.bank("finalized"))
    assert BOB not in finalized
    assert finalized[alice.pubkey()].lamports == 10 * SOL
    assert BOB in ledger.accounts_owned_by(SYSTEM, ledger.tip)


def test_the_same_bytes_land_once(ledger: Ledger) -> None:
    transaction = payment(ledger, funded(ledger), BOB, SOL)
    ledger.submit(transaction)
    again = ledger.submit(transaction)
    assert (again.record, again.error) == (None, "AlreadyProcessed")
    assert balance(ledger, BOB) == SOL


def test_the_same_bytes_land_once_also_blocks_later(ledger: Ledger) -> None:
    transaction = payment(ledger, funded(ledger), BOB, SOL)
    ledger.submit(transaction)
    advance(ledger, 150)
    assert ledger.submit(transaction).error == "AlreadyProcessed"
    assert balance(ledger, BOB) == SOL


def test_an_expired_blockhash_never_lands(ledger: Ledger) -> None:
    transaction = payment(ledger, funded(ledger), BOB, SOL)
    advance(ledger, 151)
    assert ledger.submit(transaction).error == "BlockhashNotFound"
    assert balance(ledger, BOB) == 0


def test_an_invented_blockhash_never_lands(ledger: Ledger) -> None:
    alice = funded(ledger)
    transaction = signed([transfer_of(alice, BOB, SOL)], [alice], Hash.new_unique())
    assert ledger.submit(transaction).error == "BlockhashNotFound"


def test_skipped_slots_do_not_age_a_blockhash(ledger: Ledger) -> None:
    transaction = payment(ledger, funded(ledger), BOB, SOL)
    ledger.advance(skipped=1_000)
    assert ledger.submit(transaction).error is None


def test_a_failed_transaction_lands_and_pays_its_fee(ledger: Ledger) -> None:
    alice = funded(ledger)
    execution = pay(ledger, alice, BOB, 100 * SOL)
    assert execution.record is not None
    assert execution.error == {"InstructionError": [0, {"Custom": 1}]}
    assert balance(ledger, alice.pubkey()) == 10 * SOL - 5_000
    status = ledger.status(execution.record.signature)
    assert status is not None
    assert status.error == execution.error


def test_a_payer_without_money_leaves_no_trace(ledger: Ledger) -> None:
    execution = pay(ledger, Keypair(), BOB, SOL)
    assert (execution.record, execution.error) == (None, "AccountNotFound")
    assert ledger.transaction_count == 0


def test_a_wrong_signature_leaves_no_trace(ledger: Ledger) -> None:
    alice = funded(ledger)
    genuine = payment(ledger, alice, BOB, SOL)
    forged = VersionedTransaction.populate(genuine.message, [Keypair().sign_message(b"other")])
    assert ledger.submit(forged).error == "SignatureFailure"
    assert balance(ledger, alice.pubkey()) == 10 * SOL


def test_equal_airdrops_in_one_slot_all_execute(ledger: Ledger) -> None:
    records = [ledger.airdrop(BOB, SOL).record for _ in range(50)]
    assert len({record.signature for record in records if record}) == 50
    assert balance(ledger, BOB) == 50 * SOL


def test_the_wrapped_sol_mint_exists(ledger: Ledger) -> None:
    assert ledger.svm.get_account(NATIVE_MINT) is not None


# Durable nonces


def nonce_account(ledger: Ledger, owner: Keypair) -> Pubkey:
    account = Keypair()
    instructions = list(create_nonce_account(owner.pubkey(), account.pubkey(), owner.pubkey(), SOL))
    assert ledger.submit(signed(instructions, [owner, account], ledger.tip.blockhash)).error is None
    return account.pubkey()


def durable(ledger: Ledger, owner: Keypair, nonce: Pubkey, lamports: int) -> VersionedTransaction:
    stored = stored_nonce(ledger.svm.get_account(nonce))
    assert stored is not None
    step = advance_nonce_account(AdvanceNonceAccountParams(nonce_pubkey=nonce, authorized_pubkey=owner.pubkey()))
    return signed([step, transfer_of(owner, BOB, lamports)], [owner], Hash(stored))


def test_a_durable_transaction_outlives_blockhashes_and_lands_once(ledger: Ledger) -> None:
    alice = funded(ledger)
    transaction = durable(ledger, alice, nonce_account(ledger, alice), SOL)
    advance(ledger, 400)
    assert ledger.submit(transaction).error is None
    advance(ledger, 400)
    assert ledger.submit(transaction).error == "BlockhashNotFound"
    assert balance(ledger, BOB) == SOL


def test_a_failed_durable_transaction_uses_its_nonce_up(ledger: Ledger) -> None:
    alice = funded(ledger)
    nonce = nonce_account(ledger, alice)
    transaction = durable(ledger, alice, nonce, 100 * SOL)
    assert ledger.submit(transaction).record is not None
    assert stored_nonce(ledger.svm.get_account(nonce)) != bytes(transaction.message.recent_blockhash)
    advance(ledger, 400)
    assert ledger.submit(transaction).error == "BlockhashNotFound"


# Lookup tables


def lookup_table(ledger: Ledger, addresses: list[Pubkey]) -> AddressLookupTableAccount:
    header = (1).to_bytes(4, "little") + (2**64 - 1).to_bytes(8, "little") + bytes(44)
    table = Keypair().pubkey()
    data = header + b"".join(bytes(address) for address in addresses)
    ledger.set_account(table, Account(SOL, data, ADDRESS_LOOKUP_TABLE))
    return AddressLookupTableAccount(table, addresses)


def test_accounts_from_a_lookup_table_are_part_of_the_record(ledger: Ledger) -> None:
    alice = funded(ledger)
    table = lookup_table(ledger, [BOB])
    advance(ledger, 1)
    message = MessageV0.try_compile(
        alice.pubkey(), [transfer_of(alice, BOB, SOL)], [table], Hash.from_string(ledger.tip.blockhash)
    )
    record = ledger.submit(VersionedTransaction(message, [alice])).record
    assert record is not None
    assert record.loaded_addresses == ([str(BOB)], [])
    assert record.post_balances[-1] == SOL


def test_a_missing_lookup_table_stops_a_transaction(ledger: Ledger) -> None:
    alice = funded(ledger)
    table = AddressLookupTableAccount(Keypair().pubkey(), [BOB])
    message = MessageV0.try_compile(
        alice.pubkey(), [transfer_of(alice, BOB, SOL)], [table], Hash.from_string(ledger.tip.blockhash)
    )
    execution = ledger.submit(VersionedTransaction(message, [alice]))
    assert (execution.record, execution.error) == (None, "AddressLookupTableNotFound")


# Forks


def test_a_lost_fork_takes_back_balances_transactions_and_statuses(ledger: Ledger) -> None:
    alice = funded(ledger)
    advance(ledger, 5)
    transaction = payment(ledger, alice, BOB, SOL)
    ledger.submit(transaction)
    advance(ledger, 3)
    signature = str(transaction.signatures[0])
    assert ledger.store.transaction(signature) is not None
    ledger.rollback(4)
    assert balance(ledger, BOB) == 0
    assert ledger.status(signature) is None
    assert ledger.store.transaction(signature) is None
    assert ledger.transaction_count == 1


def test_a_transaction_of_a_lost_fork_can_land_again(ledger: Ledger) -> None:
    alice = funded(ledger)
    advance(ledger, 5)
    blockhash = ledger.tip.blockhash
    advance(ledger, 1)
    transaction = signed([transfer_of(alice, BOB, SOL)], [alice], blockhash)
    ledger.submit(transaction)
    ledger.rollback(1)
    assert ledger.submit(transaction).error is None
    assert balance(ledger, BOB) == SOL


def test_slots_of_a_lost_fork_are_skipped_ones(ledger: Ledger) -> None:
    advance(ledger, 5)
    lost_slot, height = ledger.tip.slot, ledger.tip.height
    opened = ledger.rollback(3)
    assert opened.slot == lost_slot + 1
    assert opened.height == height - 2
    advance(ledger, 3)
    assert ledger.store.block(lost_slot) is None


def test_the_next_block_tells_the_reverted_accounts_again(ledger: Ledger) -> None:
    alice = funded(ledger)
    advance(ledger, 1)
    pay(ledger, alice, BOB, SOL)
    assert {alice.pubkey(), BOB} <= set(ledger.rollback(1).preimages)


def test_finalized_blocks_cannot_be_lost(ledger: Ledger) -> None:
    advance(ledger, 50)
    with pytest.raises(ValueError, match="not finalized"):
        ledger.rollback(FINALIZED_DEPTH + 1)


def test_every_block_is_announced_once_at_each_commitment(ledger: Ledger) -> None:
    advance(ledger, 40)
    confirmed = []
    for step in range(20):
        if step == 10:
            ledger.rollback(4)
        block = ledger.advance().confirmed
        if block is not None:
            confirmed.append(block.slot)
    assert confirmed == sorted(set(confirmed))
