"""Instructions of SPL Token and Token-2022. The first 25 variants mean the same in both, the rest is Token-2022's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from chain.decode.base import (
    Decoded,
    Instruction,
    Layout,
    Reader,
    TooShort,
    Unknown,
    borsh_text,
    nonzero_pubkey,
    optional_pubkey,
    pubkey,
    u8,
    u16,
    u64,
)

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
    2: Layout("initializeMultisig", ("multisig", "rentSysvar"), (("m", u8),)),
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
    19: Layout("initializeMultisig2", ("multisig",), (("m", u8),)),
    20: Layout("initializeMint2", ("mint",), _MINT_FIELDS),
    21: Layout("getAccountDataSize", ("mint",)),
    22: Layout("initializeImmutableOwner", ("account",)),
    23: Layout("amountToUiAmount", ("mint",), _AMOUNT),
    24: Layout("uiAmountToAmount", ("mint",)),
}

# By the first byte, and by the second where an extension has variants of its own: spl-token-2022-interface.
_LAYOUTS_2022: Mapping[int, Layout | Mapping[int, Layout]] = {
    25: Layout("initializeMintCloseAuthority", ("mint",), (("newAuthority", optional_pubkey),)),
    26: {
        0: Layout(
            "initializeTransferFeeConfig",
            ("mint",),
            (
                ("transferFeeConfigAuthority", optional_pubkey),
                ("withdrawWithheldAuthority", optional_pubkey),
                ("transferFeeBasisPoints", u16),
                ("maximumFee", u64),
            ),
        ),
        1: Layout(
            "transferCheckedWithFee",
            ("source", "mint", "destination", "authority"),
            (*_CHECKED, ("feeAmount", u64)),
        ),
        2: Layout("withdrawWithheldTokensFromMint", ("mint", "feeRecipient", "withdrawWithheldAuthority")),
        3: Layout("withdrawWithheldTokensFromAccounts", ("mint", "feeRecipient", "withdrawWithheldAuthority")),
        4: Layout("harvestWithheldTokensToMint", ("mint",)),
        5: Layout(
            "setTransferFee",
            ("mint", "transferFeeConfigAuthority"),
            (("transferFeeBasisPoints", u16), ("maximumFee", u64)),
        ),
    },
    28: {
        0: Layout("initializeDefaultAccountState", ("mint",), (("accountState", u8),)),
        1: Layout("updateDefaultAccountState", ("mint", "freezeAuthority"), (("accountState", u8),)),
    },
    29: Layout("reallocate", ("account", "payer", "systemProgram", "owner")),
    30: {
        0: Layout("enableRequiredMemoTransfers", ("account", "owner")),
        1: Layout("disableRequiredMemoTransfers", ("account", "owner")),
    },
    31: Layout("createNativeMint", ("payer", "nativeMint", "systemProgram")),
    32: Layout("initializeNonTransferableMint", ("mint",)),
    33: {
        0: Layout("initializeInterestBearingConfig", ("mint",), (("rateAuthority", nonzero_pubkey),)),
        1: Layout("updateInterestBearingConfigRate", ("mint", "rateAuthority")),
    },
    34: {
        0: Layout("enableCpiGuard", ("account", "owner")),
        1: Layout("disableCpiGuard", ("account", "owner")),
    },
    35: Layout("initializePermanentDelegate", ("mint",), (("delegate", pubkey),)),
    36: {
        0: Layout("initializeTransferHook", ("mint",), (("authority", nonzero_pubkey), ("programId", nonzero_pubkey))),
        1: Layout("updateTransferHook", ("mint", "authority"), (("programId", nonzero_pubkey),)),
    },
    38: Layout("withdrawExcessLamports", ("source", "destination", "authority")),
    39: {
        0: Layout(
            "initializeMetadataPointer", ("mint",), (("authority", nonzero_pubkey), ("metadataAddress", nonzero_pubkey))
        ),
        1: Layout("updateMetadataPointer", ("mint", "authority"), (("metadataAddress", nonzero_pubkey),)),
    },
    44: {
        0: Layout("initializePausableConfig", ("mint",), (("authority", pubkey),)),
        1: Layout("pause", ("mint", "authority")),
        2: Layout("resume", ("mint", "authority")),
    },
}


def _interface(name: str) -> bytes:
    return hashlib.sha256(f"spl_token_metadata_interface:{name}".encode()).digest()[:8]


# By the first eight bytes: Token-2022 also speaks the token metadata interface.
_METADATA: Mapping[bytes, Layout] = {
    _interface("initialize_account"): Layout(
        "initializeTokenMetadata",
        ("metadata", "updateAuthority", "mint", "mintAuthority"),
        (("name", borsh_text), ("symbol", borsh_text), ("uri", borsh_text)),
    ),
    _interface("updating_field"): Layout("updateTokenMetadataField", ("metadata", "updateAuthority")),
    _interface("remove_key_ix"): Layout("removeTokenMetadataKey", ("metadata", "updateAuthority")),
    _interface("update_the_authority"): Layout(
        "updateTokenMetadataAuthority", ("metadata", "updateAuthority"), (("newAuthority", nonzero_pubkey),)
    ),
    _interface("emitter"): Layout("emitTokenMetadata", ("metadata",)),
}


def decode(instruction: Instruction) -> Decoded | Unknown:
    """A token instruction, amounts in base units of the mint.

    Where the authority is a multisig, `authority` is the multisig and those who signed are not shown.
    """
    program = PROGRAMS.get(instruction.program_id)
    if program is None:
        return Unknown(instruction.program_id, "another program")
    reader = Reader(instruction.data)
    try:
        layout = _layout(reader, instruction.data, extended=instruction.program_id == _EXTENDED)
        if layout is None:
            return Unknown(instruction.program_id, f"variant {instruction.data[:2].hex()}")
        decoded = layout.read(program, reader, instruction.accounts)
    except TooShort:
        return Unknown(instruction.program_id, "too short")
    return _naming_what_is_owned(decoded) if decoded.name == "setAuthority" else decoded


def _naming_what_is_owned(decoded: Decoded) -> Decoded:
    # One instruction for accounts and mints: the kind of authority says which of them it is.
    values = dict(decoded.values)
    of_account = values["authorityType"] in ("accountOwner", "closeAccount")
    values["account" if of_account else "mint"] = values.pop("owned")
    return Decoded(decoded.program, decoded.name, values)


def _layout(reader: Reader, data: bytes, *, extended: bool) -> Layout | None:
    if extended and data[:8] in _METADATA:
        reader.take(8)
        return _METADATA[data[:8]]
    variant = u8(reader)
    if variant in _LAYOUTS:
        return _LAYOUTS[variant]
    found = _LAYOUTS_2022.get(variant) if extended else None
    return found.get(u8(reader)) if isinstance(found, Mapping) else found
