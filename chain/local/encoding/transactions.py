"""Landed transactions and blocks on the wire."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import base58
from solders.message import Message, MessageV0
from solders.transaction import VersionedTransaction

from chain.local.blocks import Block
from chain.local.encoding.amounts import ui_token_amount
from chain.local.encoding.instructions import compiled_instruction, parsed_instruction
from chain.local.errors import invalid_params, unsupported_version
from chain.local.records import InnerInstruction, TokenBalance, TransactionRecord
from chain.local.transactions import VersionedMessage, version_of

ENCODINGS = frozenset({"json", "jsonParsed", "base58", "base64", "binary"})
DETAILS = frozenset({"full", "accounts", "signatures", "none"})


def encode_transaction(
    record: TransactionRecord, encoding: str, max_version: int | None, details: str = "full"
) -> dict[str, Any]:
    """`transaction`, `meta` and `version` of a landed transaction.

    `max_version` is the client's `maxSupportedTransactionVersion`: a newer transaction raises -32015, and without it
    the answer has no `version`. `details` is `full` or `accounts`.
    """
    if encoding not in ENCODINGS:
        raise invalid_params(f"Invalid params: unknown variant `{encoding}`, expected one of {sorted(ENCODINGS)}.")
    transaction = VersionedTransaction.from_bytes(record.transaction)
    version = version_of(transaction)
    if isinstance(version, int) and (max_version is None or version > max_version):
        raise unsupported_version(version)
    encoded: dict[str, Any]
    if details == "accounts":
        encoded = {"transaction": _account_list(record, transaction), "meta": _short_meta(record)}
    else:
        parsed = encoding == "jsonParsed"
        encoded = {"transaction": _body(record, transaction, encoding), "meta": _meta(record, parsed)}
    if max_version is not None:
        encoded["version"] = version
    return encoded


def _body(record: TransactionRecord, transaction: VersionedTransaction, encoding: str) -> Any:
    if encoding == "base64":
        return [base64.b64encode(record.transaction).decode(), "base64"]
    if encoding in ("base58", "binary"):
        text = base58.b58encode(record.transaction).decode()
        return text if encoding == "binary" else [text, "base58"]
    parsed = encoding == "jsonParsed"
    message = _parsed_message(record, transaction.message) if parsed else _raw_message(record, transaction.message)
    return {"message": message, "signatures": [str(signature) for signature in transaction.signatures]}


def _raw_message(record: TransactionRecord, message: VersionedMessage) -> dict[str, Any]:
    header = message.header
    body: dict[str, Any] = {
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "accountKeys": record.static_keys,
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            compiled_instruction(item.program_id_index, bytes(item.accounts), bytes(item.data), 1)
            for item in message.instructions
        ],
    }
    return body | _lookups(message)


def _parsed_message(record: TransactionRecord, message: VersionedMessage) -> dict[str, Any]:
    body: dict[str, Any] = {
        "accountKeys": _accounts(record, message),
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            parsed_instruction(item.program_id_index, bytes(item.accounts), bytes(item.data), 1, record.account_keys)
            for item in message.instructions
        ],
    }
    return body | _lookups(message)


def _lookups(message: VersionedMessage) -> dict[str, Any]:
    if isinstance(message, Message):
        return {}
    tables = message.address_table_lookups if isinstance(message, MessageV0) else []
    return {
        "addressTableLookups": [
            {
                "accountKey": str(lookup.account_key),
                "writableIndexes": list(lookup.writable_indexes),
                "readonlyIndexes": list(lookup.readonly_indexes),
            }
            for lookup in tables
        ]
    }


def _accounts(record: TransactionRecord, message: VersionedMessage) -> list[dict[str, Any]]:
    static = len(record.static_keys)
    signers = message.header.num_required_signatures
    return [
        {
            "pubkey": key,
            "signer": index < signers,
            "writable": record.writable[index] and not _is_called(message, index),
            "source": "transaction" if index < static else "lookupTable",
        }
        for index, key in enumerate(record.account_keys)
    ]


def _is_called(message: VersionedMessage, index: int) -> bool:
    """A program that the message calls is never writable, whatever its header says."""
    return any(item.program_id_index == index for item in message.instructions)


def _account_list(record: TransactionRecord, transaction: VersionedTransaction) -> dict[str, Any]:
    return {
        "signatures": [str(signature) for signature in transaction.signatures],
        "accountKeys": _accounts(record, transaction.message),
    }


def _short_meta(record: TransactionRecord) -> dict[str, Any]:
    return {
        "err": record.error,
        "status": status_json(record.error),
        "fee": record.fee_lamports,
        "preBalances": record.pre_balances,
        "postBalances": record.post_balances,
        "preTokenBalances": token_balances_json(record.pre_token_balances),
        "postTokenBalances": token_balances_json(record.post_token_balances),
    }


def _meta(record: TransactionRecord, parsed: bool) -> dict[str, Any]:
    meta = _short_meta(record)
    meta["innerInstructions"] = inner_instructions_json(
        record.inner_instructions, record.account_keys if parsed else None
    )
    meta["logMessages"] = record.logs
    meta["rewards"] = []
    meta["computeUnitsConsumed"] = record.compute_units
    meta["costUnits"] = record.compute_units
    if not parsed:
        writable, readonly = record.loaded_addresses
        meta["loadedAddresses"] = {"writable": writable, "readonly": readonly}
    if record.return_data is not None:
        meta["returnData"] = return_data_json(*record.return_data)
    return meta


def status_json(error: Any) -> dict[str, Any]:
    """The old form of a transaction's outcome, which every answer still carries."""
    return {"Ok": None} if error is None else {"Err": error}


def return_data_json(program_id: str, data: bytes) -> dict[str, Any]:
    """What a program returned, as `meta` and simulations show it."""
    return {"programId": program_id, "data": [base64.b64encode(data).decode(), "base64"]}


def token_balances_json(balances: Sequence[TokenBalance]) -> list[dict[str, Any]]:
    """`UiTransactionTokenBalance`; here, other than in account answers, Solana shows the float of zero as null."""
    return [
        {
            "accountIndex": balance.account_index,
            "mint": balance.mint,
            "owner": balance.owner,
            "programId": balance.program_id,
            "uiTokenAmount": {
                **ui_token_amount(balance.amount, balance.decimals),
                "uiAmount": balance.amount / 10**balance.decimals if balance.amount else None,
            },
        }
        for balance in balances
    ]


def inner_instructions_json(
    calls: Sequence[Sequence[InnerInstruction]], keys: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Calls by top-level instruction, those without calls left out; parsed where `keys` are given."""
    return [
        {
            "index": index,
            "instructions": [
                compiled_instruction(call.program_id_index, call.accounts, call.data, call.stack_height)
                if keys is None
                else parsed_instruction(call.program_id_index, call.accounts, call.data, call.stack_height, keys)
                for call in inner
            ],
        }
        for index, inner in enumerate(calls)
        if inner
    ]


def encode_block(
    block: Block, encoding: str, details: str, max_version: int | None, show_rewards: bool
) -> dict[str, Any]:
    """A block with its transactions, their signatures, or neither, as `details` says."""
    if details not in DETAILS:
        raise invalid_params(f"Invalid params: unknown variant `{details}`, expected one of {sorted(DETAILS)}.")
    body: dict[str, Any] = {
        "blockHeight": block.height,
        "blockTime": block.time_s,
        "blockhash": block.blockhash,
        "parentSlot": block.parent_slot,
        "previousBlockhash": block.previous_blockhash,
    }
    if details == "signatures":
        body["signatures"] = block.signatures
    elif details != "none":
        body["transactions"] = [
            encode_transaction(record, encoding, max_version, details) for record in block.transactions
        ]
    if show_rewards:
        body["rewards"] = []
    return body
