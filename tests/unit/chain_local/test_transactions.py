from __future__ import annotations

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import AdvanceNonceAccountParams, advance_nonce_account

from chain.local.ledger import Ledger
from chain.local.programs import MEMO, SYSTEM
from chain.local.transactions import fee_lamports, memo_of, nonce_account_of, resolve_keys, stored_nonce
from tests.unit.chain_local.building import SOL, funded, signed, transfer_of

ALICE, BOB = Keypair(), Keypair().pubkey()


def message_of(*instructions: Instruction) -> Message:
    return Message.new_with_blockhash(list(instructions), ALICE.pubkey(), Hash.default())


def memo(text: bytes) -> Instruction:
    return Instruction(MEMO, text, [AccountMeta(ALICE.pubkey(), True, False)])


def test_the_fee_is_5000_lamports_a_signature() -> None:
    assert fee_lamports(message_of(transfer_of(ALICE, BOB, 1))) == 5_000


def test_the_priority_fee_is_rounded_up() -> None:
    message = message_of(set_compute_unit_limit(1_001), set_compute_unit_price(1_000), transfer_of(ALICE, BOB, 1))
    assert fee_lamports(message) == 5_000 + 2


def test_the_predicted_fee_is_the_one_that_is_charged(ledger: Ledger) -> None:
    alice = funded(ledger)
    plans = [
        [set_compute_unit_price(7_777)],
        [set_compute_unit_price(7_777), Instruction(MEMO, b"hello", [])],
        [set_compute_unit_price(7_777), set_compute_unit_limit(1_400_000)],
    ]
    for plan in plans:
        transaction = signed([*plan, transfer_of(alice, BOB, SOL)], [alice], ledger.tip.blockhash)
        record = ledger.submit(transaction).record
        assert record is not None
        assert record.fee_lamports == fee_lamports(transaction.message)


def test_memos_are_shown_with_their_lengths() -> None:
    assert memo_of(message_of(memo(b"hello"), memo(b"hi"))) == "[5] hello; [2] hi"
    assert memo_of(message_of(transfer_of(ALICE, BOB, 1))) is None


def test_writable_flags_follow_the_header() -> None:
    keys = resolve_keys(message_of(transfer_of(ALICE, BOB, 1)), lambda address: None)
    flags = dict(zip(keys.keys, keys.writable, strict=True))
    assert flags == {ALICE.pubkey(): True, BOB: True, SYSTEM: False}


def test_a_first_instruction_that_advances_a_nonce_makes_a_durable_transaction() -> None:
    step = advance_nonce_account(AdvanceNonceAccountParams(nonce_pubkey=BOB, authorized_pubkey=ALICE.pubkey()))
    assert nonce_account_of(message_of(step, transfer_of(ALICE, BOB, 1))) == BOB
    assert nonce_account_of(message_of(transfer_of(ALICE, BOB, 1), step)) is None


def test_only_an_initialized_nonce_account_holds_a_nonce() -> None:
    data = b"\x01\0\0\0\x01\0\0\0" + bytes(32) + b"\x07" * 32 + bytes(8)
    assert stored_nonce(Account(SOL, data, SYSTEM)) == b"\x07" * 32
    assert stored_nonce(Account(SOL, bytes(80), SYSTEM)) is None
    assert stored_nonce(Account(SOL, data, Pubkey.new_unique())) is None
    assert stored_nonce(None) is None
