"""An event such as a trigger would make: what a test run or a preview uses before there was a real one. Pure."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, Literal

import base58

from chain.events import Event, EventKey, log_event, manual_event, schedule_event, state_event, webhook_event
from chain.types import LAMPORTS_PER_SOL, SYSTEM_PROGRAM, AccountSample
from workflows.specs import triggers
from workflows.specs.amounts import AmountError, resolve_tokens
from workflows.specs.triggers import Trigger

SLOT = 250_000_000
TOKEN_DECIMALS = 6
DUE_AT = datetime(2026, 1, 1, tzinfo=UTC)
MAX_SAMPLE_BYTES = 64 * 1024


def sample_event(trigger: Trigger) -> Event:
    """An event that the trigger matches, with the fields of a real one; alike each time.

    Two exceptions, where none can be made up: the line of a `program_log` is an ordinary one whatever the pattern, and
    account data is at most 64 KiB.
    """
    match trigger:
        case triggers.BalanceChange():
            return _balance(trigger)
        case triggers.AccountChange():
            return _account("account_change", trigger.address, _address("owner"), b"sample")
        case triggers.ProgramAccountChange():
            return _account("program_account_change", _address("account"), trigger.program_id, _data(trigger))
        case triggers.TokenReceipt():
            return _token_receipt(trigger)
        case triggers.NftReceipt():
            collection = {"collection": trigger.collection or _address("collection"), "collection_verified": True}
            fields = _token_fields(trigger.wallet, _address("token account"), _address("mint"), 0, 1)
            return _receipt("nft_receipt", fields | collection)
        case triggers.ProgramLog():
            return _program_log(trigger)
        case triggers.TransactionStatus():
            return _transaction_status(trigger)
        case triggers.Schedule():
            return schedule_event(DUE_AT, missed=0)
        case triggers.Webhook():
            headers = {"content-type": "application/json", "webhook-id": "msg_sample"}
            return webhook_event("msg_sample", headers, {"example": "what the sender wrote"})
        case triggers.Manual():
            return manual_event("sample", {})


def _balance(trigger: triggers.BalanceChange) -> Event:
    change = max(trigger.min_change, LAMPORTS_PER_SOL)
    before, after = (2 * change, change) if trigger.direction == "decrease" else (change, 2 * change)
    return state_event("balance_change", trigger.address, AccountSample(SLOT - 1, before), AccountSample(SLOT, after))


def _account(kind: Literal["account_change", "program_account_change"], address: str, owner: str, data: bytes) -> Event:
    # A program's account keeps its owner; an account that is watched for it has just changed it.
    previous_owner = owner if kind == "program_account_change" else SYSTEM_PROGRAM
    previous = AccountSample.of(SLOT - 1, LAMPORTS_PER_SOL, previous_owner, b"")
    return state_event(kind, address, previous, AccountSample.of(SLOT, LAMPORTS_PER_SOL, owner, data))


def _data(trigger: triggers.ProgramAccountChange) -> bytes:
    parts = [(part.offset, base58.b58decode(part.bytes)) for part in trigger.memcmp]
    size = trigger.data_size
    if size is None:
        size = max((offset + len(raw) for offset, raw in parts), default=16)
    data = bytearray(min(size, MAX_SAMPLE_BYTES))
    for offset, raw in parts:
        if offset + len(raw) <= len(data):
            data[offset : offset + len(raw)] = raw
    return bytes(data)


def _token_receipt(trigger: triggers.TokenReceipt) -> Event:
    wallet = trigger.wallet or _address("wallet")
    account = trigger.token_account or _address("token account")
    # As many decimals as the amount was written with, when a usual mint has fewer.
    fraction = str(trigger.min_amount).partition(".")[2]
    decimals = max(TOKEN_DECIMALS, len(fraction))
    try:
        amount = resolve_tokens(trigger.min_amount, decimals)
    except AmountError:
        decimals, amount = 0, 1
    return _receipt("token_receipt", _token_fields(wallet, account, trigger.mint, decimals, amount))


def _token_fields(wallet: str, account: str, mint: str, decimals: int, amount: int) -> dict[str, Any]:
    return {
        "wallet": wallet,
        "token_account": account,
        "mint": mint,
        "decimals": decimals,
        "amount": amount,
        "amount_delta": amount,
    }


def _receipt(kind: str, fields: dict[str, Any]) -> Event:
    account, signature = fields["token_account"], _signature()
    return Event(kind, EventKey("", f"{account}:{signature}", "0"), SLOT, signature, account, fields)


def _program_log(trigger: triggers.ProgramLog) -> Event:
    line = "Instruction: Transfer"
    logs = [f"Program {trigger.program_id} invoke [1]", f"Program log: {line}"]
    return log_event(
        trigger.program_id,
        _signature(),
        SLOT,
        "log.0" if trigger.event is None else "ev.0000000000000000.0",
        logs=[*logs, f"Program {trigger.program_id} success"],
        logs_truncated=False,
        name=trigger.event,
        data=None if trigger.event is None else {},
        line=line if trigger.event is None else None,
    )


def _transaction_status(trigger: triggers.TransactionStatus) -> Event:
    address = trigger.account or trigger.program_id
    signature = trigger.signature or _signature()
    succeeded = trigger.status != "failed"
    fields = {
        "success": succeeded,
        "error": None if succeeded else {"InstructionError": [0, {"Custom": 1}]},
        "fee_lamports": 5000,
        "accounts": [address or _address("account")],
    }
    key = EventKey("", f"{address or ''}:{signature}", "0")
    return Event("transaction_status", key, SLOT, signature, address, fields)


def _address(role: str) -> str:
    return base58.b58encode(hashlib.sha256(role.encode()).digest()).decode()


def _signature() -> str:
    return base58.b58encode(hashlib.sha512(b"sample transaction").digest()).decode()
