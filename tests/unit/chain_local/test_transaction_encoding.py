from __future__ import annotations

import base64
from typing import Any

import base58
import pytest
import spl.token.instructions as token
import spl.token.models as models
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import (
    CreateAccountParams,
    CreateAccountWithSeedParams,
    create_account,
    create_account_with_seed,
)
from solders.transaction import VersionedTransaction

from chain.local.encoding.error_text import error_text
from chain.local.encoding.instructions import parsed_instruction
from chain.local.encoding.transactions import encode_block, encode_transaction
from chain.local.errors import RpcError
from chain.local.ledger import Ledger
from chain.local.programs import MEMO, SYSTEM, TOKEN
from chain.local.records import TransactionRecord, decode_record, encode_record
from tests.unit.chain_local.building import SOL, funded, pay, signed, transfer_of

A, B, C, D = (Keypair().pubkey() for _ in range(4))


def parsed(instruction: Instruction) -> Any:
    keys = [str(meta.pubkey) for meta in instruction.accounts] + [str(instruction.program_id)]
    accounts = bytes(range(len(instruction.accounts)))
    return parsed_instruction(len(keys) - 1, accounts, instruction.data, 1, keys)


def record_of(ledger: Ledger) -> TransactionRecord:
    record = pay(ledger, funded(ledger), B, SOL).record
    assert record is not None
    return record


def test_system_instructions_are_parsed_with_solanas_names() -> None:
    made = create_account(CreateAccountParams(from_pubkey=A, to_pubkey=B, lamports=7, space=8, owner=C))
    assert parsed(made)["parsed"] == {
        "type": "createAccount",
        "info": {"source": str(A), "newAccount": str(B), "lamports": 7, "space": 8, "owner": str(C)},
    }
    seeded = create_account_with_seed(
        CreateAccountWithSeedParams(from_pubkey=A, to_pubkey=B, base=A, seed="salt", lamports=1, space=2, owner=C)
    )
    assert parsed(seeded)["parsed"]["info"]["seed"] == "salt"


def test_a_checked_token_transfer_shows_its_amount_and_its_authority() -> None:
    params = models.TransferCheckedParams(
        program_id=TOKEN, source=A, mint=B, dest=C, owner=D, amount=1_500, decimals=3, signers=[]
    )
    shown = parsed(token.transfer_checked(params))
    assert (shown["program"], shown["parsed"]["type"]) == ("spl-token", "transferChecked")
    assert shown["parsed"]["info"]["tokenAmount"]["uiAmountString"] == "1.5"
    assert shown["parsed"]["info"]["authority"] == str(D)


def test_a_multisig_is_shown_with_its_signers() -> None:
    signer = Keypair().pubkey()
    params = models.TransferParams(program_id=TOKEN, source=A, dest=B, owner=C, amount=5, signers=[signer])
    info = parsed(token.transfer(params))["parsed"]["info"]
    assert (info["multisigAuthority"], info["signers"], info["amount"]) == (str(C), [str(signer)], "5")


def test_an_associated_token_account_is_parsed() -> None:
    shown = parsed(token.create_associated_token_account(payer=A, owner=B, mint=C))
    assert shown["program"] == "spl-associated-token-account"
    assert shown["parsed"]["type"] == "create"
    assert (shown["parsed"]["info"]["wallet"], shown["parsed"]["info"]["mint"]) == (str(B), str(C))


def test_a_memo_is_its_text() -> None:
    assert parsed(Instruction(MEMO, b"hello", [AccountMeta(A, True, False)]))["parsed"] == "hello"


@pytest.mark.parametrize(
    ("program", "data"),
    [
        (Pubkey.new_unique(), b"abc"),
        (SYSTEM, b"\x02\0\0\0short"),
        (SYSTEM, b"\xff\0\0\0"),
        (TOKEN, b"\xfa"),
        (MEMO, b"\xff\xfe"),
    ],
)
def test_what_no_parser_understands_is_shown_partially_decoded(program: Pubkey, data: bytes) -> None:
    shown = parsed(Instruction(program, data, [AccountMeta(A, False, False)]))
    assert "parsed" not in shown
    assert (shown["accounts"], shown["data"]) == ([str(A)], base58.b58encode(data).decode())


def test_every_encoding_of_a_transaction_holds_the_same_bytes(ledger: Ledger) -> None:
    record = record_of(ledger)
    as_base64 = encode_transaction(record, "base64", 0)["transaction"]
    as_base58 = encode_transaction(record, "base58", 0)["transaction"]
    assert base64.b64decode(as_base64[0]) == base58.b58decode(as_base58[0]) == record.transaction


def test_json_and_json_parsed_show_one_transaction(ledger: Ledger) -> None:
    record = record_of(ledger)
    raw, readable = encode_transaction(record, "json", 0), encode_transaction(record, "jsonParsed", 0)
    keys = raw["transaction"]["message"]["accountKeys"]
    assert keys == [item["pubkey"] for item in readable["transaction"]["message"]["accountKeys"]]
    assert readable["transaction"]["message"]["instructions"][0]["parsed"]["info"]["lamports"] == SOL
    assert raw["meta"]["postBalances"] == readable["meta"]["postBalances"]


def test_a_versioned_transaction_is_for_clients_that_say_they_read_it(ledger: Ledger) -> None:
    record = record_of(ledger)
    assert encode_transaction(record, "json", 0)["version"] == 0
    with pytest.raises(RpcError, match="Transaction version \\(0\\) is not supported") as refusal:
        encode_transaction(record, "json", None)
    assert refusal.value.code == -32015


def test_a_legacy_transaction_is_for_everybody(ledger: Ledger) -> None:
    alice = funded(ledger)
    message = Message.new_with_blockhash(
        [transfer_of(alice, B, SOL)], alice.pubkey(), Hash.from_string(ledger.tip.blockhash)
    )
    record = ledger.submit(VersionedTransaction(message, [alice])).record
    assert record is not None
    assert "version" not in encode_transaction(record, "json", None)
    assert encode_transaction(record, "json", 0)["version"] == "legacy"


def test_token_balances_before_and_after_are_in_the_meta(ledger: Ledger) -> None:
    alice, mint = funded(ledger), Keypair()
    rent = ledger.svm.minimum_balance_for_rent_exemption(82)
    wallet = token.get_associated_token_address(alice.pubkey(), mint.pubkey())
    setup = [
        create_account(
            CreateAccountParams(
                from_pubkey=alice.pubkey(), to_pubkey=mint.pubkey(), lamports=rent, space=82, owner=TOKEN
            )
        ),
        token.initialize_mint2(
            models.InitializeMint2Params(
                program_id=TOKEN, mint=mint.pubkey(), decimals=2, mint_authority=alice.pubkey()
            )
        ),
        token.create_associated_token_account(payer=alice.pubkey(), owner=alice.pubkey(), mint=mint.pubkey()),
        token.mint_to(
            models.MintToParams(
                program_id=TOKEN, mint=mint.pubkey(), dest=wallet, mint_authority=alice.pubkey(), amount=250, signers=[]
            )
        ),
    ]
    execution = ledger.submit(signed(setup, [alice, mint], ledger.tip.blockhash))
    assert execution.record is not None
    assert execution.error is None
    meta = encode_transaction(execution.record, "json", 0)["meta"]
    assert meta["preTokenBalances"] == []
    assert [balance["uiTokenAmount"]["uiAmountString"] for balance in meta["postTokenBalances"]] == ["2.5"]
    assert meta["postTokenBalances"][0]["owner"] == str(alice.pubkey())
    assert [group["index"] for group in meta["innerInstructions"]] == [2]


def test_a_record_survives_its_stored_form(ledger: Ledger) -> None:
    record = record_of(ledger)
    assert decode_record(encode_record(record)) == record


def test_a_block_shows_as_much_as_is_asked_for(ledger: Ledger) -> None:
    record, block = record_of(ledger), ledger.tip
    assert encode_block(block, "json", "signatures", None, True)["signatures"][-1] == record.signature
    assert "transactions" not in encode_block(block, "json", "none", None, True)
    assert "rewards" not in encode_block(block, "json", "none", None, False)
    accounts = encode_block(block, "json", "accounts", 0, False)["transactions"][-1]
    assert set(accounts["transaction"]) == {"signatures", "accountKeys"}
    with pytest.raises(RpcError, match="unknown variant `half`"):
        encode_block(block, "json", "half", 0, False)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("BlockhashNotFound", "Blockhash not found"),
        ({"InstructionError": [0, {"Custom": 1}]}, "Error processing Instruction 0: custom program error: 0x1"),
        ({"InstructionError": [2, "InvalidArgument"]}, "Error processing Instruction 2: invalid program argument"),
        (
            {"InsufficientFundsForRent": {"account_index": 1}},
            "Transaction results in an account (1) with insufficient funds for rent",
        ),
        ("SomethingQuiteNew", "something quite new"),
    ],
)
def test_errors_have_solanas_words(error: Any, text: str) -> None:
    assert error_text(error) == text
