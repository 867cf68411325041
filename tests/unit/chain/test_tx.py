import json
import pickle
import traceback

import base58
import pytest
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from chain.errors import InvalidSecretKey, InvalidTransaction
from chain.tx import builder, instructions
from chain.tx.signers import KeypairSigner, generate, parse_secret_key, with_signature

ALICE = Keypair.from_seed(bytes([1] * 32))
BOB = str(Keypair.from_seed(bytes([2] * 32)).pubkey())
MINT = str(Pubkey.from_bytes(bytes([3] * 32)))
BLOCKHASH = str(Hash.from_bytes(bytes([4] * 32)))
EXECUTION = "ab" * 32


@pytest.fixture
def alice() -> KeypairSigner:
    return KeypairSigner.from_secret(bytes(ALICE))


def payment(alice: KeypairSigner, attempt: int = 1) -> list:
    return [
        instructions.transfer_sol(alice.address, BOB, 1000),
        instructions.memo(builder.attempt_memo(EXECUTION, attempt), alice.address),
    ]


def test_a_signed_payment_verifies_and_keeps_its_height(alice: KeypairSigner) -> None:
    signed = alice.sign(builder.compile_message(payment(alice), alice.address, BLOCKHASH), 321)
    transaction = VersionedTransaction.from_bytes(signed.raw)
    assert transaction.verify_with_results() == [True]
    assert (signed.signature, signed.blockhash) == (str(transaction.signatures[0]), BLOCKHASH)
    assert signed.last_valid_block_height == 321
    assert len(repr(signed)) < 300


def test_a_signature_made_elsewhere_is_taken_for_its_own_message_and_address_alone(alice: KeypairSigner) -> None:
    message, other = (builder.compile_message(payment(alice, n), alice.address, BLOCKHASH) for n in (1, 2))
    made = ALICE.sign_message(to_bytes_versioned(message))
    assert with_signature(message, alice.address, made, 321) == alice.sign(message, 321)
    for wrong in (ALICE.sign_message(to_bytes_versioned(other)), Keypair().sign_message(to_bytes_versioned(message))):
        with pytest.raises(InvalidTransaction, match=f"not that of {alice.address}"):
            with_signature(message, alice.address, wrong, 321)
    with pytest.raises(InvalidTransaction, match=f"not of {BOB}"):
        with_signature(message, BOB, made, 321)


def test_two_attempts_of_one_payment_have_different_signatures(alice: KeypairSigner) -> None:
    first, second = (
        alice.sign(builder.compile_message(payment(alice, attempt), alice.address, BLOCKHASH), 1) for attempt in (1, 2)
    )
    assert first.signature != second.signature


def test_the_memo_names_execution_and_attempt() -> None:
    assert builder.attempt_memo(EXECUTION, 3) == "solflow:abababababababab:3"


def test_unsigned_bytes_are_the_signed_ones_with_zeros_for_the_signature(alice: KeypairSigner) -> None:
    message = builder.compile_message(payment(alice), alice.address, BLOCKHASH)
    raw, signed = builder.unsigned_bytes(message), alice.sign(message, 1).raw
    assert raw[1:65] == bytes(64)
    assert (raw[0], raw[65:]) == (signed[0], signed[65:])


def test_a_transaction_that_fits_no_packet_is_refused_with_its_size(alice: KeypairSigner) -> None:
    with pytest.raises(InvalidTransaction, match=r"has 1\d\d\d bytes; at most 1232 fit"):
        builder.compile_message([instructions.memo("x" * 1200, alice.address)], alice.address, BLOCKHASH)


def test_more_accounts_than_a_message_can_index_are_refused(alice: KeypairSigner) -> None:
    transfers = [instructions.transfer_sol(alice.address, str(Pubkey(i.to_bytes(32, "big"))), 1) for i in range(1, 300)]
    with pytest.raises(InvalidTransaction):
        builder.compile_message(transfers, alice.address, BLOCKHASH)


@pytest.mark.parametrize(("payer", "blockhash"), [("nobody", BLOCKHASH), (BOB, "zz")])
def test_texts_that_are_no_addresses_or_hashes_are_refused(payer: str, blockhash: str) -> None:
    with pytest.raises(InvalidTransaction):
        builder.compile_message([], payer, blockhash)


def test_accounts_of_lookup_tables_come_last_writable_before_readonly(alice: KeypairSigner) -> None:
    table_keys = [Pubkey.from_bytes(bytes([10 + i] * 32)) for i in range(3)]
    table = AddressLookupTableAccount(Pubkey.from_bytes(bytes([9] * 32)), table_keys)
    accounts = [(str(table_keys[0]), False, False), (str(table_keys[2]), False, True), (BOB, False, True)]
    call = instructions.instruction(MINT, accounts, b"")
    message = builder.compile_message([call], alice.address, BLOCKHASH, [table])
    keys = builder.account_keys(message, [table])
    assert keys[:2] == [alice.address, BOB]
    assert keys[-2:] == [str(table_keys[2]), str(table_keys[0])]
    assert len(keys) == 5
    assert builder.writable_accounts(message, [table]) == [alice.address, BOB, str(table_keys[2])]


def test_a_missing_lookup_table_is_an_error_not_a_shorter_list(alice: KeypairSigner) -> None:
    keys = [Pubkey.from_bytes(bytes([10] * 32))]
    table = AddressLookupTableAccount(Pubkey.from_bytes(bytes([9] * 32)), keys)
    call = instructions.instruction(MINT, [(str(keys[0]), False, True)], b"")
    message = builder.compile_message([call], alice.address, BLOCKHASH, [table])
    with pytest.raises(InvalidTransaction, match="is missing"):
        builder.account_keys(message)


def test_a_transaction_that_needs_another_signature_is_not_signed(alice: KeypairSigner) -> None:
    message = builder.compile_message([instructions.transfer_sol(BOB, alice.address, 1)], alice.address, BLOCKHASH)
    with pytest.raises(InvalidTransaction, match=BOB):
        alice.sign(message, 1)


def test_token_transfers_are_written_for_both_token_programs() -> None:
    for program in (instructions.TOKEN_PROGRAM, instructions.TOKEN_2022_PROGRAM):
        call = instructions.transfer_token_checked(BOB, MINT, BOB, str(ALICE.pubkey()), 7, 6, program)
        assert str(call.program_id) == program
        assert bytes(call.data) == b"\x0c" + (7).to_bytes(8, "little") + b"\x06"


def test_the_associated_token_address_depends_on_the_token_program() -> None:
    legacy = instructions.associated_token_address(BOB, MINT)
    assert legacy != instructions.associated_token_address(BOB, MINT, instructions.TOKEN_2022_PROGRAM)
    create = instructions.create_associated_token_account_idempotent(str(ALICE.pubkey()), BOB, MINT)
    assert str(create.accounts[1].pubkey) == legacy
    assert bytes(create.data) == b"\x01"


@pytest.mark.parametrize("amount", [-1, 2**64])
def test_an_amount_that_does_not_fit_is_refused(amount: int) -> None:
    with pytest.raises(InvalidTransaction, match="lamports"):
        instructions.transfer_sol(BOB, BOB, amount)


def test_a_text_that_is_no_address_is_refused() -> None:
    with pytest.raises(InvalidTransaction, match="'alice' is no address"):
        instructions.transfer_sol("alice", BOB, 1)


def test_another_token_program_is_refused() -> None:
    with pytest.raises(InvalidTransaction, match="no token program"):
        instructions.associated_token_address(BOB, MINT, BOB)


def test_a_secret_key_is_read_from_base58_and_from_a_json_array() -> None:
    secret = bytes(ALICE)
    assert parse_secret_key(f" {base58.b58encode(secret).decode()}\n") == secret
    assert parse_secret_key(json.dumps(list(secret))) == secret


def test_a_generated_key_signs_for_a_new_address() -> None:
    first, second = KeypairSigner.from_secret(generate()), KeypairSigner.from_secret(generate())
    assert first.address != second.address


def test_a_key_whose_public_half_is_another_s_is_refused() -> None:
    with pytest.raises(InvalidSecretKey, match="does not belong to its seed"):
        KeypairSigner.from_secret(bytes(ALICE)[:32] + bytes([7] * 32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0OIl-not-base58",
        base58.b58encode(bytes(ALICE)[:32]).decode(),
        json.dumps(list(bytes(ALICE))[:63]),
        json.dumps([*bytes(ALICE)[:63], 256]),
        json.dumps([*bytes(ALICE)[:63], True]),
        json.dumps(list(bytes(ALICE)))[:-1],
        "[" + ",".join(["1.5"] * 64) + "]",
    ],
)
def test_what_is_no_secret_key_is_refused_in_words_that_do_not_repeat_it(text: str) -> None:
    with pytest.raises(InvalidSecretKey) as caught:
        parse_secret_key(text)
    assert caught.value.__context__ is None
    shown = "".join(traceback.format_exception_only(caught.value))
    assert not text or text not in shown


def test_a_signer_shows_its_address_and_leaves_no_process(alice: KeypairSigner) -> None:
    assert repr(alice) == f"KeypairSigner({ALICE.pubkey()})"
    with pytest.raises(TypeError, match="does not leave"):
        pickle.dumps(alice)
