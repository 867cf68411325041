"""Instructions that only Token-2022 has: one for each thing that an extension can be told, and the interfaces of
metadata and groups that are kept in a mint.

Names are those of Solana's own parser (transaction-status of https://github.com/anza-xyz/agave), layouts those of
spl-token-2022-interface. Proofs and ciphertexts of confidential transfers are left out, and so are the accounts behind
the first ones, of which nothing in the data says which they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chain.decode.base import (
    Decoded,
    Layout,
    Reader,
    TooShort,
    Unreadable,
    borsh_text,
    f64_text,
    flag,
    i16,
    i64,
    nonzero_pubkey,
    optional_pubkey,
    optional_u64,
    pubkey,
    u8,
    u16,
    u64,
)

_STATES = ("uninitialized", "initialized", "frozen")
_METADATA_FIELDS = ("name", "symbol", "uri")
_CIPHERTEXT_BYTES = 36


def _state(reader: Reader) -> str:
    number = u8(reader)
    if number >= len(_STATES):
        raise Unreadable(f"account state {number}")
    return _STATES[number]


def _metadata_field(reader: Reader) -> str:
    number = u8(reader)
    if number > len(_METADATA_FIELDS):
        raise Unreadable(f"metadata field {number}")
    return _METADATA_FIELDS[number] if number < len(_METADATA_FIELDS) else borsh_text(reader)


def _behind_ciphertext(reader: Reader) -> int:
    reader.take(_CIPHERTEXT_BYTES)
    return u64(reader)


_CHECKED: tuple[tuple[str, Callable[[Reader], Any]], ...] = (("amount", u64), ("decimals", u8))
_OWNED = ("account", "owner")
_ON_MINT = ("mint", "authority")


def _pointer(what: str, address: str) -> Mapping[int, Layout]:
    return {
        0: Layout(f"initialize{what}Pointer", ("mint",), (("authority", nonzero_pubkey), (address, nonzero_pubkey))),
        1: Layout(f"update{what}Pointer", _ON_MINT, ((address, nonzero_pubkey),)),
    }


_TRANSFER_FEE = {
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
        "transferCheckedWithFee", ("source", "mint", "destination", "authority"), (*_CHECKED, ("feeAmount", u64))
    ),
    2: Layout("withdrawWithheldTokensFromMint", ("mint", "feeRecipient", "withdrawWithheldAuthority")),
    3: Layout(
        "withdrawWithheldTokensFromAccounts",
        ("mint", "feeRecipient", "withdrawWithheldAuthority"),
        (("numTokenAccounts", u8),),
    ),
    4: Layout("harvestWithheldTokensToMint", ("mint",), others="sourceAccounts"),
    5: Layout(
        "setTransferFee",
        ("mint", "transferFeeConfigAuthority"),
        (("transferFeeBasisPoints", u16), ("maximumFee", u64)),
    ),
}
_CONFIDENTIAL_TRANSFER = {
    0: Layout(
        "initializeConfidentialTransferMint",
        ("mint",),
        (("authority", nonzero_pubkey), ("autoApproveNewAccounts", flag)),
    ),
    1: Layout(
        "updateConfidentialTransferMint",
        ("mint", "confidentialTransferMintAuthority"),
        (("autoApproveNewAccounts", flag),),
    ),
    2: Layout(
        "configureConfidentialTransferAccount",
        ("account", "mint"),
        (("maximumPendingBalanceCreditCounter", _behind_ciphertext),),
    ),
    3: Layout("approveConfidentialTransferAccount", ("account", "mint", "confidentialTransferAuditorAuthority")),
    4: Layout("emptyConfidentialTransferAccount", ("account",)),
    5: Layout("depositConfidentialTransfer", ("account", "mint", "owner"), _CHECKED),
    6: Layout("withdrawConfidentialTransfer", ("account", "mint"), _CHECKED),
    7: Layout("confidentialTransfer", ("source", "mint", "destination")),
    8: Layout("applyPendingConfidentialTransferBalance", _OWNED, (("expectedPendingBalanceCreditCounter", u64),)),
    9: Layout("enableConfidentialTransferConfidentialCredits", _OWNED),
    10: Layout("disableConfidentialTransferConfidentialCredits", _OWNED),
    11: Layout("enableConfidentialTransferNonConfidentialCredits", _OWNED),
    12: Layout("disableConfidentialTransferNonConfidentialCredits", _OWNED),
    13: Layout("confidentialTransferWithFee", ("source", "mint", "destination")),
    14: Layout("configureConfidentialAccountWithRegistry", ("account", "mint", "registry")),
}
_CONFIDENTIAL_FEE = {
    0: Layout("initializeConfidentialTransferFeeConfig", ("mint",), (("authority", nonzero_pubkey),)),
    1: Layout("withdrawWithheldConfidentialTransferTokensFromMint", ("mint", "feeRecipient")),
    2: Layout(
        "withdrawWithheldConfidentialTransferTokensFromAccounts",
        ("mint", "feeRecipient"),
        (("numTokenAccounts", u8),),
    ),
    3: Layout("harvestWithheldConfidentialTransferTokensToMint", ("mint",), others="sourceAccounts"),
    4: Layout("enableConfidentialTransferFeeHarvestToMint", ("mint", "authority")),
    5: Layout("disableConfidentialTransferFeeHarvestToMint", ("mint", "authority")),
}
_CONFIDENTIAL_MINT_BURN = {
    0: Layout("initializeConfidentialMintBurnMint", ("mint",)),
    1: Layout("rotateConfidentialMintBurnSupplyElGamalPubkey", ("mint",)),
    2: Layout("updateConfidentialMintBurnDecryptableSupply", ("mint", "owner")),
    3: Layout("confidentialMint", ("destination", "mint")),
    4: Layout("confidentialBurn", ("account", "mint")),
    5: Layout("applyPendingBurn", ("mint", "owner")),
}
_PERMISSIONED = ("account", "mint", "permissionedBurnAuthority", "authority")

# By the first byte, and by the second where an extension has variants of its own.
EXTENSIONS: Mapping[int, Layout | Mapping[int, Layout]] = {
    25: Layout("initializeMintCloseAuthority", ("mint",), (("newAuthority", optional_pubkey),)),
    26: _TRANSFER_FEE,
    27: _CONFIDENTIAL_TRANSFER,
    28: {
        0: Layout("initializeDefaultAccountState", ("mint",), (("accountState", _state),)),
        1: Layout("updateDefaultAccountState", ("mint", "freezeAuthority"), (("accountState", _state),)),
    },
    29: Layout("reallocate", ("account", "payer", "systemProgram", "owner")),
    30: {
        0: Layout("enableRequiredMemoTransfers", _OWNED),
        1: Layout("disableRequiredMemoTransfers", _OWNED),
    },
    31: Layout("createNativeMint", ("payer", "nativeMint", "systemProgram")),
    32: Layout("initializeNonTransferableMint", ("mint",)),
    33: {
        0: Layout("initializeInterestBearingConfig", ("mint",), (("rateAuthority", nonzero_pubkey), ("rate", i16))),
        1: Layout("updateInterestBearingConfigRate", ("mint", "rateAuthority"), (("newRate", i16),)),
    },
    34: {0: Layout("enableCpiGuard", _OWNED), 1: Layout("disableCpiGuard", _OWNED)},
    35: Layout("initializePermanentDelegate", ("mint",), (("delegate", pubkey),)),
    36: {
        0: Layout("initializeTransferHook", ("mint",), (("authority", nonzero_pubkey), ("programId", nonzero_pubkey))),
        1: Layout("updateTransferHook", _ON_MINT, (("programId", nonzero_pubkey),)),
    },
    37: _CONFIDENTIAL_FEE,
    39: _pointer("Metadata", "metadataAddress"),
    40: _pointer("Group", "groupAddress"),
    41: _pointer("GroupMember", "memberAddress"),
    42: _CONFIDENTIAL_MINT_BURN,
    43: {
        0: Layout(
            "initializeScaledUiAmountConfig", ("mint",), (("authority", nonzero_pubkey), ("multiplier", f64_text))
        ),
        1: Layout("updateMultiplier", _ON_MINT, (("newMultiplier", f64_text), ("newMultiplierTimestamp", i64))),
    },
    44: {
        0: Layout("initializePausableConfig", ("mint",), (("authority", pubkey),)),
        1: Layout("pause", _ON_MINT),
        2: Layout("resume", _ON_MINT),
    },
    46: {
        0: Layout("initializePermissionedBurnConfig", ("mint",), (("authority", pubkey),)),
        1: Layout("permissionedBurn", _PERMISSIONED, (("amount", u64),)),
        2: Layout("permissionedBurnChecked", _PERMISSIONED, _CHECKED),
        3: Layout("permissionedConfidentialBurn", ("account", "mint")),
    },
}


def _hashed(interface: str, name: str) -> bytes:
    return hashlib.sha256(f"spl_token_{interface}_interface:{name}".encode()).digest()[:8]


# By the first eight bytes.
INTERFACES: Mapping[bytes, Layout] = {
    _hashed("metadata", "initialize_account"): Layout(
        "initializeTokenMetadata",
        ("metadata", "updateAuthority", "mint", "mintAuthority"),
        (("name", borsh_text), ("symbol", borsh_text), ("uri", borsh_text)),
    ),
    _hashed("metadata", "updating_field"): Layout(
        "updateTokenMetadataField",
        ("metadata", "updateAuthority"),
        (("field", _metadata_field), ("value", borsh_text)),
    ),
    _hashed("metadata", "remove_key_ix"): Layout(
        "removeTokenMetadataKey", ("metadata", "updateAuthority"), (("idempotent", flag), ("key", borsh_text))
    ),
    _hashed("metadata", "update_the_authority"): Layout(
        "updateTokenMetadataAuthority", ("metadata", "updateAuthority"), (("newAuthority", nonzero_pubkey),)
    ),
    _hashed("metadata", "emitter"): Layout(
        "emitTokenMetadata", ("metadata",), (("start", optional_u64), ("end", optional_u64))
    ),
    _hashed("group", "initialize_token_group"): Layout(
        "initializeTokenGroup",
        ("group", "mint", "mintAuthority"),
        (("updateAuthority", nonzero_pubkey), ("maxSize", u64)),
    ),
    _hashed("group", "update_group_max_size"): Layout(
        "updateTokenGroupMaxSize", ("group", "updateAuthority"), (("maxSize", u64),)
    ),
    _hashed("group", "update_authority"): Layout(
        "updateTokenGroupAuthority", ("group", "updateAuthority"), (("newAuthority", nonzero_pubkey),)
    ),
    _hashed("group", "initialize_member"): Layout(
        "initializeTokenGroupMember",
        ("member", "memberMint", "memberMintAuthority", "group", "groupUpdateAuthority"),
    ),
}


def naming_sources(decoded: Decoded, accounts: Sequence[str]) -> Decoded:
    """The instruction with the accounts whose withheld fees it takes, which are its last ones; the data counts them.
    Raises TooShort where there are not so many."""
    count = decoded.values.get("numTokenAccounts")
    if count is None:
        return decoded
    named = sum(isinstance(value, str) for value in decoded.values.values())
    if len(accounts) < named + count:
        raise TooShort
    values = {name: value for name, value in decoded.values.items() if name != "numTokenAccounts"}
    return Decoded(decoded.program, decoded.name, {**values, "sourceAccounts": list(accounts[len(accounts) - count :])})
