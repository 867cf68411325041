"""Pure: instructions, blockhash and lookup tables -> one v0 message, its unsigned bytes and its accounts."""

from __future__ import annotations

from collections.abc import Sequence

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash, ParseHashError
from solders.instruction import Instruction
from solders.message import CompileError, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from chain.errors import InvalidTransaction

# What a node accepts in one packet, signatures included.
TRANSACTION_BYTES_MAX = 1232


def compile_message(
    instructions: Sequence[Instruction],
    payer: str,
    blockhash: str,
    lookup_tables: Sequence[AddressLookupTableAccount] = (),
) -> MessageV0:
    """One message of all instructions, in their order, paid by `payer`.

    Raises InvalidTransaction where the accounts do not fit into a message or the signed bytes not into a packet.
    """
    try:
        message = MessageV0.try_compile(
            Pubkey.from_string(payer), instructions, list(lookup_tables), Hash.from_string(blockhash)
        )
    except (CompileError, ParseHashError, ValueError) as error:
        raise InvalidTransaction(f"the instructions do not make a message: {error}") from error
    try:
        size = len(unsigned_bytes(message))
    except ValueError as error:
        raise InvalidTransaction(f"the instructions do not make a transaction: {error}") from error
    if size > TRANSACTION_BYTES_MAX:
        raise InvalidTransaction(f"the transaction has {size} bytes; at most {TRANSACTION_BYTES_MAX} fit")
    return message


def unsigned_bytes(message: MessageV0) -> bytes:
    """The transaction with zeros for signatures: what a simulation takes, and no chain."""
    blanks = [Signature.default()] * message.header.num_required_signatures
    return bytes(VersionedTransaction.populate(message, blanks))


def account_keys(message: MessageV0, lookup_tables: Sequence[AddressLookupTableAccount] = ()) -> list[str]:
    """Every account in the order of the balances in `meta` and simulations: the message's own, the writable ones from
    lookup tables, the read-only ones from lookup tables."""
    writable, readonly = _looked_up(message, lookup_tables)
    return [str(key) for key in message.account_keys] + writable + readonly


def writable_accounts(message: MessageV0, lookup_tables: Sequence[AddressLookupTableAccount] = ()) -> list[str]:
    """The accounts that the transaction locks for writing, and whose recent fees say what landing costs."""
    header, keys = message.header, message.account_keys
    signers = header.num_required_signatures
    own = [
        str(key)
        for index, key in enumerate(keys)
        if index < signers - header.num_readonly_signed_accounts
        or signers <= index < len(keys) - header.num_readonly_unsigned_accounts
    ]
    return own + _looked_up(message, lookup_tables)[0]


def attempt_memo(execution_id: str, attempt: int) -> str:
    """`solflow:<first 16 hex of the execution id>:<attempt>`.

    It makes each attempt's bytes unique (the same payment under the same blockhash would be one signature, landing once
    for two executions) and lets the chain alone say which executions have landed.
    """
    return f"solflow:{execution_id[:16]}:{attempt}"


def _looked_up(message: MessageV0, tables: Sequence[AddressLookupTableAccount]) -> tuple[list[str], list[str]]:
    by_key = {table.key: table.addresses for table in tables}
    writable: list[str] = []
    readonly: list[str] = []
    for lookup in message.address_table_lookups:
        addresses = by_key.get(lookup.account_key)
        if addresses is None:
            raise InvalidTransaction(f"the lookup table {lookup.account_key} is missing")
        writable += (str(addresses[index]) for index in lookup.writable_indexes)
        readonly += (str(addresses[index]) for index in lookup.readonly_indexes)
    return writable, readonly
