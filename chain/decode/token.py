"""Instructions of SPL Token and Token-2022. What is here means the same in both, the rest is Token-2022's alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chain.decode.base import (
    Decoded,
    Instruction,
    Layout,
    Reader,
    TooShort,
    Unknown,
    Unreadable,
    optional_pubkey,
    optional_u64,
    pubkey,
    rest_text,
    u8,
    u64,
)
from chain.decode.token_extensions import EXTENSIONS, INTERFACES, naming_sources

_LEGACY = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
_EXTENDED = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
PROGRAMS = {_LEGACY: "spl-token", _EXTENDED: "spl-token-2022"}

_AUTHORITIES = {
    0: "mintTokens",
    1: "freezeAccount",
    2: "accountOwner",
    3: "closeAccount",
    4: "transferFeeConfig",
    5: "withheldWithdraw",
    6: "closeMint",
    7: "interestRate",
    8: "permanentDelegate",
    9: "confidentialTransferMint",
    10: "transferHookProgramId",
    11: "confidentialTransferFeeConfig",
    12: "metadataPointer",
    13: "groupPointer",
    14: "groupMemberPointer",
    15: "scaledUiAmount",
    16: "pause",
    17: "permissionedBurn",
}


def _authority_type(reader: Reader) -> str | int:
    number = u8(reader)
    return _AUTHORITIES.get(number, number)


_AMOUNT: tuple[tuple[str, Callable[[Reader], Any]], ...] = (("amount", u64),)
_CHECKED: tuple[tuple[str, Callable[[Reader], Any]], ...] = (("amount", u64), ("decimals", u8))
_MINT_FIELDS = (("decimals", u8), ("mintAuthority", pubkey), ("freezeAuthority", optional_pubkey))

# By the first byte: spl-token-interface, TokenInstruction.
_LAYOUTS: Mapping[int, Layout] = {
    0: Layout("initializeMint", ("mint", "rentSysvar"), _MINT_FIELDS),
    1: Layout("initializeAccount", ("account", "mint", "owner", "rentSysvar")),
    2: Layout("initializeMultisig", ("multisig", "rentSysvar"), (("m", u8),), "signers"),
    3: Layout("transfer", ("source", "destination", "authority"), _AMOUNT),
    4: Layout("approve", ("source", "delegate", "owner"), _AMOUNT),
    5: Layout("revoke", ("source", "owner")),
    6: Layout(
        "setAuthority", ("owned", "authority"), (("authorityType", _authority_type), ("newAuthority", optional_pubkey))
    ),
    7: Layout("mintTo", ("mint", "account", "mintAuthority"), _AMOUNT),
    8: Layout("burn", ("account", "mint", "authority"), _AMOUNT),
    9: Layout("closeAccount", ("account", "destination", "owner")),
    10: Layout("freezeAccount", ("account", "mint", "freezeAuthority")),
    11: Layout("thawAccount", ("account", "mint", "freezeAuthority")),
    12: Layout("transferChecked", ("source", "mint", "destination", "authority"), _CHECKED),
    13: Layout("approveChecked", ("source", "mint", "delegate", "owner"), _CHECKED),
    14: Layout("mintToChecked", ("mint", "account", "mintAuthority"), _CHECKED),
    15: Layout("burnChecked", ("account", "mint", "authority"), _CHECKED),
    16: Layout("initializeAccount2", ("account", "mint", "rentSysvar"), (("owner", pubkey),)),
    17: Layout("syncNative", ("account",)),
    18: Layout("initializeAccount3", ("account", "mint"), (("owner", pubkey),)),
    19: Layout("initializeMultisig2", ("multisig",), (("m", u8),), "signers"),
    20: Layout("initializeMint2", ("mint",), _MINT_FIELDS),
    21: Layout("getAccountDataSize", ("mint",)),
    22: Layout("initializeImmutableOwner", ("account",)),
    23: Layout("amountToUiAmount", ("mint",), _AMOUNT),
    24: Layout("uiAmountToAmount", ("mint",), (("uiAmount", rest_text),)),
}

# By the first byte: what the legacy program understands too since it was rewritten (p-token).
_LAYOUTS_SINCE: Mapping[int, Layout] = {
    38: Layout("withdrawExcessLamports", ("source", "destination", "authority")),
    45: Layout("unwrapLamports", ("source", "destination", "authority"), (("amount", optional_u64),)),
}
_BATCH = 255
# What an instruction's data can hold at most; nobody counts on more.
_MOST_IN_BATCH = 1_000


def decode(instruction: Instruction) -> Decoded | Unknown:
    """A token instruction, amounts in base units of the mint.

    Where the authority is a multisig, `authority` is the multisig and those who signed are not shown. A `batch` holds
    `instructions`, each with its `type` and `values`.
    """
    program = PROGRAMS.get(instruction.program_id)
    if program is None:
        return Unknown(instruction.program_id, "another program")
    try:
        if instruction.data[:1] == bytes([_BATCH]):
            return _batch(program, instruction)
        return _single(program, instruction)
    except Unreadable as error:
        return Unknown(instruction.program_id, str(error))


def _single(program: str, instruction: Instruction) -> Decoded | Unknown:
    reader = Reader(instruction.data)
    layout = _layout(reader, instruction.data, extended=instruction.program_id == _EXTENDED)
    if layout is None:
        return Unknown(instruction.program_id, f"variant {instruction.data[:2].hex()}")
    decoded = layout.read(program, reader, instruction.accounts)
    if decoded.name == "setAuthority":
        return _naming_what_is_owned(decoded)
    return naming_sources(decoded, instruction.accounts)


def _batch(program: str, instruction: Instruction) -> Decoded | Unknown:
    """One instruction after the other: how many of the accounts it takes, how long its data is, and the data."""
    reader, accounts = Reader(instruction.data[1:]), list(instruction.accounts)
    held: list[dict[str, Any]] = []
    while reader.remaining and len(held) < _MOST_IN_BATCH:
        count, size = u8(reader), u8(reader)
        data, own, accounts = reader.take(size), accounts[:count], accounts[count:]
        if len(own) < count:
            raise TooShort
        if data[:1] == bytes([_BATCH]):
            raise Unreadable("a batch within a batch")
        one = _single(program, replace(instruction, accounts=tuple(own), data=data))
        if isinstance(one, Unknown):
            return one
        held.append({"type": one.type, "values": dict(one.values)})
    return Decoded(program, "batch", {"instructions": held})


def _naming_what_is_owned(decoded: Decoded) -> Decoded:
    # One instruction for accounts and mints: the kind of authority says which of them it is, as far as it is known.
    values = dict(decoded.values)
    kind, owned = values["authorityType"], values.pop("owned")
    if isinstance(kind, str):
        values["account" if kind in ("accountOwner", "closeAccount") else "mint"] = owned
    else:
        values["owned"] = owned
    return Decoded(decoded.program, decoded.name, values)


def _layout(reader: Reader, data: bytes, *, extended: bool) -> Layout | None:
    if extended and data[:8] in INTERFACES:
        reader.take(8)
        return INTERFACES[data[:8]]
    variant = u8(reader)
    common = _LAYOUTS.get(variant) or _LAYOUTS_SINCE.get(variant)
    if common is not None or not extended:
        return common
    found = EXTENSIONS.get(variant)
    return found.get(u8(reader)) if isinstance(found, Mapping) else found
