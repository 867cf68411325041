"""Reading a signed transaction: which accounts it names, which it may write, and whether it uses a durable nonce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solders.account import Account
from solders.address_lookup_table_account import AddressLookupTable
from solders.message import Message, MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from chain.local.programs import ADDRESS_LOOKUP_TABLE, BUILTIN_PROGRAMS, COMPUTE_BUDGET, MEMO_PROGRAMS, SYSTEM

VersionedMessage = Message | MessageV0 | MessageV1
ReadAccount = Callable[[Pubkey], Account | None]

NONCE_ACCOUNT_SIZE = 80
_ADVANCE_NONCE = b"\x04\x00\x00\x00"
_LAMPORTS_PER_SIGNATURE = 5_000
_DEFAULT_UNITS = 200_000
_DEFAULT_BUILTIN_UNITS = 3_000
_MAX_UNITS = 1_400_000


class AddressLookupError(Exception):
    """The transaction names a lookup table, or an entry of one, that is not there. The text is Solana's error name."""


@dataclass(frozen=True, slots=True)
class AccountKeys:
    """The accounts of a transaction in Solana's order: static ones, then loaded writable, then loaded read-only."""

    keys: tuple[Pubkey, ...]
    writable: tuple[bool, ...]
    loaded_writable: int
    loaded_readonly: int


def resolve_keys(message: VersionedMessage, read: ReadAccount) -> AccountKeys:
    """The accounts that a message names, lookup tables resolved. Raises AddressLookupError."""
    static = list(message.account_keys)
    header = message.header
    signers = header.num_required_signatures
    writable = [
        index < signers - header.num_readonly_signed_accounts
        if index < signers
        else index < len(static) - header.num_readonly_unsigned_accounts
        for index in range(len(static))
    ]
    loaded_writable, loaded_readonly = _loaded(message, read)
    return AccountKeys(
        keys=(*static, *loaded_writable, *loaded_readonly),
        writable=(*writable, *(True for _ in loaded_writable), *(False for _ in loaded_readonly)),
        loaded_writable=len(loaded_writable),
        loaded_readonly=len(loaded_readonly),
    )


def _loaded(message: VersionedMessage, read: ReadAccount) -> tuple[list[Pubkey], list[Pubkey]]:
    writable: list[Pubkey] = []
    readonly: list[Pubkey] = []
    if isinstance(message, MessageV0):
        for lookup in message.address_table_lookups:
            table = read(lookup.account_key)
            if table is None:
                raise AddressLookupError("AddressLookupTableNotFound")
            if table.owner != ADDRESS_LOOKUP_TABLE:
                raise AddressLookupError("InvalidAddressLookupTableOwner")
            addresses = AddressLookupTable.deserialize(table.data).addresses
            try:
                writable += [addresses[index] for index in lookup.writable_indexes]
                readonly += [addresses[index] for index in lookup.readonly_indexes]
            except IndexError:
                raise AddressLookupError("InvalidAddressLookupTableIndex") from None
    return writable, readonly


def nonce_account_of(message: VersionedMessage) -> Pubkey | None:
    """The nonce account, where the first instruction advances one (which makes the transaction a durable one)."""
    if not message.instructions:
        return None
    first = message.instructions[0]
    keys = message.account_keys
    if keys[first.program_id_index] != SYSTEM or bytes(first.data)[:4] != _ADVANCE_NONCE or not first.accounts:
        return None
    index = first.accounts[0]
    return keys[index] if index < len(keys) else None


def stored_nonce(account: Account | None) -> bytes | None:
    """The durable blockhash that an initialized nonce account holds; None for any other account."""
    if account is None or account.owner != SYSTEM or len(account.data) != NONCE_ACCOUNT_SIZE:
        return None
    return account.data[40:72] if account.data[4:8] == b"\x01\x00\x00\x00" else None


def fee_lamports(message: VersionedMessage) -> int:
    """The signature fee and the priority fee (units x micro-lamports, rounded up) that the payer will be charged."""
    price_micro_lamports = 0
    units: int | None = None
    default_units = 0
    for instruction in message.instructions:
        data = bytes(instruction.data)
        program = message.account_keys[instruction.program_id_index]
        default_units += _DEFAULT_BUILTIN_UNITS if program in BUILTIN_PROGRAMS else _DEFAULT_UNITS
        if program != COMPUTE_BUDGET:
            continue
        if data[:1] == b"\x02":
            units = int.from_bytes(data[1:5], "little")
        elif data[:1] == b"\x03":
            price_micro_lamports = int.from_bytes(data[1:9], "little")
    granted = min(default_units if units is None else units, _MAX_UNITS)
    priority = -(-granted * price_micro_lamports // 1_000_000)
    return _LAMPORTS_PER_SIGNATURE * message.header.num_required_signatures + priority


def memo_of(message: VersionedMessage) -> str | None:
    """The memos of the top-level instructions as `getSignaturesForAddress` shows them: `[5] hello; [2] hi`."""
    memos = [
        bytes(instruction.data)
        for instruction in message.instructions
        if message.account_keys[instruction.program_id_index] in MEMO_PROGRAMS
    ]
    return "; ".join(f"[{len(memo)}] {memo.decode(errors='replace')}" for memo in memos) or None


def version_of(transaction: VersionedTransaction) -> int | str:
    """`legacy`, or the version number."""
    message = transaction.message
    if isinstance(message, Message):
        return "legacy"
    return 0 if isinstance(message, MessageV0) else 1
