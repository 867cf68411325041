"""Sending and simulating transactions, fees, airdrops."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import base58
from solders.account import Account
from solders.hash import Hash
from solders.message import from_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from chain.local.blocks import Block
from chain.local.encoding.accounts import AccountEncoding
from chain.local.encoding.error_text import error_text
from chain.local.errors import (
    INTERNAL_ERROR,
    PREFLIGHT_FAILURE,
    RpcError,
    invalid_params,
    signature_verification_failure,
)
from chain.local.methods.accounts import encode_or_none
from chain.local.methods.call import Call, Config, Method, parse_pubkey, with_context
from chain.local.simulation import Simulation, refused, simulate
from chain.local.transactions import AccountKeys, AddressLookupError, fee_lamports, resolve_keys

_MAX_TRANSACTION_BYTES = 1_232
_MAX_ENCODED = {"base58": 1_683, "base64": 1_644}
_TYPE_NAME = "solana_transaction::versioned::VersionedTransaction"
_FEE_SLOTS = 150


def _decode_transaction(text: str, encoding: str) -> VersionedTransaction:
    raw = _decode_bytes(text, encoding)
    if len(raw) > _MAX_TRANSACTION_BYTES:
        raise invalid_params(f"decoded {_TYPE_NAME} too large: {len(raw)} bytes (max: {_MAX_TRANSACTION_BYTES} bytes)")
    try:
        transaction = VersionedTransaction.from_bytes(raw)
    except ValueError as error:
        raise invalid_params(f"failed to deserialize {_TYPE_NAME}: {error}") from None
    try:
        transaction.sanitize()
    except ValueError as error:
        raise invalid_params(f"invalid transaction: {error}") from None
    return transaction


def _decode_bytes(text: str, encoding: str) -> bytes:
    limit = _MAX_ENCODED.get(encoding)
    if limit is None:
        raise invalid_params(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
    if len(text) > limit:
        raise invalid_params(
            f"{encoding} encoded {_TYPE_NAME} too large: {len(text)} bytes "
            f"(max: encoded/raw {limit}/{_MAX_TRANSACTION_BYTES})"
        )
    try:
        return base64.b64decode(text, validate=True) if encoding == "base64" else base58.b58decode(text)
    except (ValueError, binascii.Error) as error:
        raise invalid_params(f"invalid {encoding} encoding: {error}") from None


def _resolve(call: Call, transaction: VersionedTransaction) -> AccountKeys:
    try:
        return resolve_keys(transaction.message, call.ledger.svm.get_account)
    except AddressLookupError as error:
        raise invalid_params(f"invalid transaction: {error_text(str(error))}") from None


def _send_transaction(call: Call) -> Any:
    """Answers the signature; without preflight also for a transaction that can never land, as Solana does."""
    config = call.config(1)
    transaction = _decode_transaction(call.text(0), config.encoding("base58"))
    bank = config.bank("preflightCommitment")
    if not config.flag("skipPreflight"):
        _preflight(call, transaction, bank)
    if not call.never_land:
        call.ledger.submit(transaction)
    return str(transaction.signatures[0])


def _preflight(call: Call, transaction: VersionedTransaction, bank: Block) -> None:
    if not all(transaction.verify_with_results()):
        raise signature_verification_failure()
    keys = _resolve(call, transaction)
    refusal = call.ledger.refusal(transaction, bank)
    if refusal is not None:
        value = refused(refusal)
    else:
        value = simulate(call.ledger.svm, transaction, keys, verify_signatures=True).value
        value["innerInstructions"] = None
    if value["err"] is not None:
        text = f"Transaction simulation failed: {error_text(value['err'])}"
        raise RpcError(PREFLIGHT_FAILURE, text, {"accounts": None, "replacementBlockhash": None, **value})


def _simulate_transaction(call: Call) -> Any:
    config = call.config(1)
    transaction = _decode_transaction(call.text(0), config.encoding("base58"))
    bank = config.bank()
    verify, replace = config.flag("sigVerify"), config.flag("replaceRecentBlockhash")
    if verify and replace:
        raise invalid_params("sigVerify may not be used with replaceRecentBlockhash")
    wanted = _wanted_accounts(config)
    if verify and not all(transaction.verify_with_results()):
        raise signature_verification_failure()
    keys = _resolve(call, transaction)
    refusal = None if replace else call.ledger.refusal(transaction, bank)
    if refusal is not None:
        value = refused(refusal)
        value["accounts"] = None if wanted is None else [None] * len(wanted[0])
    else:
        simulation = simulate(call.ledger.svm, transaction, keys, verify_signatures=verify)
        value = simulation.value
        value["accounts"] = None if wanted is None else _accounts_after(call, bank, simulation, *wanted)
        if not config.flag("innerInstructions"):
            value["innerInstructions"] = None
    value["replacementBlockhash"] = (
        {"blockhash": bank.blockhash, "lastValidBlockHeight": bank.last_valid_block_height} if replace else None
    )
    return with_context(bank, value)


def _wanted_accounts(config: Config) -> tuple[list[Pubkey], AccountEncoding] | None:
    asked = config.get("accounts")
    if asked is None:
        return None
    if not isinstance(asked, dict) or not isinstance(asked.get("addresses"), list):
        raise invalid_params("Invalid params: accounts needs a list of addresses.")
    encoding = asked.get("encoding") or "base64"
    if encoding in ("base58", "binary"):
        raise invalid_params("base58 encoding not supported")
    return [parse_pubkey(address) for address in asked["addresses"]], AccountEncoding(encoding)


def _accounts_after(
    call: Call, bank: Block, simulation: Simulation, addresses: list[Pubkey], encoding: AccountEncoding
) -> list[dict[str, Any] | None]:
    if simulation.value["err"] is not None:
        return [None] * len(addresses)
    encoded = []
    for address in addresses:
        account: Account | None = (
            simulation.after[address] if address in simulation.after else call.ledger.svm.get_account(address)
        )
        present = account if account is not None and account.lamports else None
        encoded.append(encode_or_none(call.view, bank, address, present, encoding))
    return encoded


def _request_airdrop(call: Call) -> Any:
    """Has executed when it answers. A recentBlockhash in the config is checked and not used (signatures are unique)."""
    recipient, lamports, config = call.pubkey(0), call.integer(1), call.config(2)
    config.commitment()
    execution = call.ledger.airdrop(recipient, lamports)
    if execution.record is None or execution.error is not None:
        raise RpcError(INTERNAL_ERROR, f"Internal error: airdrop failed: {error_text(execution.error)}")
    return execution.record.signature


def _get_fee_for_message(call: Call) -> Any:
    config = call.config(1)
    bank = config.bank()
    raw = _decode_bytes(call.text(0), "base64")
    try:
        message = from_bytes_versioned(raw)
    except ValueError as error:
        raise invalid_params(f"failed to deserialize solana_message::VersionedMessage: {error}") from None
    known = call.ledger.blocks.is_blockhash_valid(str(message.recent_blockhash), bank)
    return with_context(bank, fee_lamports(message) if known else None)


def _get_latest_blockhash(call: Call) -> Any:
    bank = call.config(0).bank()
    return with_context(bank, {"blockhash": bank.blockhash, "lastValidBlockHeight": bank.last_valid_block_height})


def _is_blockhash_valid(call: Call) -> Any:
    bank = call.config(1).bank()
    try:
        blockhash = str(Hash.from_string(call.text(0)))
    except ValueError:
        raise invalid_params("Invalid param: Invalid") from None
    return with_context(bank, call.ledger.blocks.is_blockhash_valid(blockhash, bank))


def _get_recent_prioritization_fees(call: Call) -> Any:
    """No slot here is ever full, so no account has a price."""
    for address in call.optional(0) or []:
        parse_pubkey(address)
    return [{"slot": block.slot, "prioritizationFee": 0} for block in call.ledger.blocks.last(_FEE_SLOTS)]


METHODS: dict[str, Method] = {
    "sendTransaction": _send_transaction,
    "simulateTransaction": _simulate_transaction,
    "requestAirdrop": _request_airdrop,
    "getFeeForMessage": _get_fee_for_message,
    "getLatestBlockhash": _get_latest_blockhash,
    "isBlockhashValid": _is_blockhash_valid,
    "getRecentPrioritizationFees": _get_recent_prioritization_fees,
}
