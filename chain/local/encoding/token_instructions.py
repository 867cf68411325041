"""jsonParsed instructions of SPL Token and Token-2022, with the names that Solana's own parser gives them.

Beyond the common instructions of both programs only transfers with a fee are parsed; the others of Token-2022's
extensions are shown unparsed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chain.local.encoding.amounts import ui_token_amount
from chain.local.encoding.instruction_data import InstructionReader, NotParsableError
from chain.local.encoding.token_extensions import extension_name

_Info = dict[str, Any]
_AUTHORITY_TYPES = (
    "mintTokens",
    "freezeAccount",
    "accountOwner",
    "closeAccount",
    "transferFeeConfig",
    "withheldWithdraw",
    "closeMint",
    "interestRate",
    "permanentDelegate",
    "confidentialTransferMint",
    "transferHookProgramId",
    "confidentialTransferFeeConfig",
    "metadataPointer",
    "groupPointer",
    "groupMemberPointer",
    "scaledUiAmount",
    "pause",
)
_OF_ACCOUNTS = frozenset({"accountOwner", "closeAccount"})


def _authority(read: InstructionReader, index: int, name: str) -> _Info:
    """The owner behind the fixed accounts: one signer, or a multisig with its signers after it."""
    signers = read.accounts_from(index + 1)
    if not signers:
        return {name: read.account(index)}
    return {f"multisig{name[0].upper()}{name[1:]}": read.account(index), "signers": signers}


def _amount(read: InstructionReader) -> str:
    return str(read.unsigned(8))


def _token_amount(read: InstructionReader) -> _Info:
    amount = read.unsigned(8)
    return ui_token_amount(amount, read.unsigned(1))


def _initialize_mint(read: InstructionReader) -> _Info:
    info: _Info = {"mint": read.account(0), "decimals": read.unsigned(1), "mintAuthority": read.key()}
    freeze_authority = read.optional_key()
    return info if freeze_authority is None else {**info, "freezeAuthority": freeze_authority}


def _initialize_mint_1(read: InstructionReader) -> _Info:
    return {**_initialize_mint(read), "rentSysvar": read.account(1)}


def _initialize_account(read: InstructionReader) -> _Info:
    return dict(read.named("account", "mint", "owner", "rentSysvar"))


def _initialize_account_2(read: InstructionReader) -> _Info:
    return {
        "account": read.account(0),
        "mint": read.account(1),
        "rentSysvar": read.account(2),
        "owner": read.key(),
    }


def _initialize_account_3(read: InstructionReader) -> _Info:
    return {**read.named("account", "mint"), "owner": read.key()}


def _initialize_multisig(read: InstructionReader) -> _Info:
    return {**read.named("multisig", "rentSysvar"), "signers": read.accounts_from(2), "m": read.unsigned(1)}


def _initialize_multisig_2(read: InstructionReader) -> _Info:
    return {"multisig": read.account(0), "signers": read.accounts_from(1), "m": read.unsigned(1)}


def _transfer(read: InstructionReader) -> _Info:
    return {**read.named("source", "destination"), "amount": _amount(read), **_authority(read, 2, "authority")}


def _approve(read: InstructionReader) -> _Info:
    return {**read.named("source", "delegate"), "amount": _amount(read), **_authority(read, 2, "owner")}


def _revoke(read: InstructionReader) -> _Info:
    return {**read.named("source"), **_authority(read, 1, "owner")}


def _set_authority(read: InstructionReader) -> _Info:
    kind = read.unsigned(1)
    if kind >= len(_AUTHORITY_TYPES):
        raise NotParsableError
    name = _AUTHORITY_TYPES[kind]
    return {
        "account" if name in _OF_ACCOUNTS else "mint": read.account(0),
        "authorityType": name,
        "newAuthority": read.optional_key(),
        **_authority(read, 1, "authority"),
    }


def _mint_to(read: InstructionReader) -> _Info:
    return {**read.named("mint", "account"), "amount": _amount(read), **_authority(read, 2, "mintAuthority")}


def _burn(read: InstructionReader) -> _Info:
    return {**read.named("account", "mint"), "amount": _amount(read), **_authority(read, 2, "authority")}


def _close_account(read: InstructionReader) -> _Info:
    return {**read.named("account", "destination"), **_authority(read, 2, "owner")}


def _freeze_or_thaw(read: InstructionReader) -> _Info:
    return {**read.named("account", "mint"), **_authority(read, 2, "freezeAuthority")}


def _transfer_checked(read: InstructionReader) -> _Info:
    return {
        **read.named("source", "mint", "destination"),
        "tokenAmount": _token_amount(read),
        **_authority(read, 3, "authority"),
    }


def _approve_checked(read: InstructionReader) -> _Info:
    return {
        **read.named("source", "mint", "delegate"),
        "tokenAmount": _token_amount(read),
        **_authority(read, 3, "owner"),
    }


def _mint_to_checked(read: InstructionReader) -> _Info:
    return {**read.named("mint", "account"), "tokenAmount": _token_amount(read), **_authority(read, 2, "mintAuthority")}


def _burn_checked(read: InstructionReader) -> _Info:
    return {**read.named("account", "mint"), "tokenAmount": _token_amount(read), **_authority(read, 2, "authority")}


def _account_only(read: InstructionReader) -> _Info:
    return dict(read.named("account"))


def _account_data_size(read: InstructionReader) -> _Info:
    info: _Info = dict(read.named("mint"))
    if not read.at_end:
        info["extensionTypes"] = []
    while not read.at_end:
        info["extensionTypes"].append(extension_name(read.unsigned(2)))
    return info


def _amount_to_ui_amount(read: InstructionReader) -> _Info:
    return {"mint": read.account(0), "amount": _amount(read)}


def _ui_amount_to_amount(read: InstructionReader) -> _Info:
    return {"mint": read.account(0), "uiAmount": read.rest_as_text()}


def _mint_close_authority(read: InstructionReader) -> _Info:
    return {"mint": read.account(0), "newAuthority": read.optional_key()}


_INSTRUCTIONS: tuple[tuple[str, Callable[[InstructionReader], _Info]], ...] = (
    ("initializeMint", _initialize_mint_1),
    ("initializeAccount", _initialize_account),
    ("initializeMultisig", _initialize_multisig),
    ("transfer", _transfer),
    ("approve", _approve),
    ("revoke", _revoke),
    ("setAuthority", _set_authority),
    ("mintTo", _mint_to),
    ("burn", _burn),
    ("closeAccount", _close_account),
    ("freezeAccount", _freeze_or_thaw),
    ("thawAccount", _freeze_or_thaw),
    ("transferChecked", _transfer_checked),
    ("approveChecked", _approve_checked),
    ("mintToChecked", _mint_to_checked),
    ("burnChecked", _burn_checked),
    ("initializeAccount2", _initialize_account_2),
    ("syncNative", _account_only),
    ("initializeAccount3", _initialize_account_3),
    ("initializeMultisig2", _initialize_multisig_2),
    ("initializeMint2", _initialize_mint),
    ("getAccountDataSize", _account_data_size),
    ("initializeImmutableOwner", _account_only),
    ("amountToUiAmount", _amount_to_ui_amount),
    ("uiAmountToAmount", _ui_amount_to_amount),
    ("initializeMintCloseAuthority", _mint_close_authority),
)
_TRANSFER_FEE_EXTENSION = 26
_TRANSFER_CHECKED_WITH_FEE = 1


def parse_token_instruction(read: InstructionReader) -> _Info:
    """`{"type", "info"}`. Raises NotParsableError."""
    tag = read.unsigned(1)
    if tag == _TRANSFER_FEE_EXTENSION and read.unsigned(1) == _TRANSFER_CHECKED_WITH_FEE:
        return {"type": "transferCheckedWithFee", "info": _transfer_checked_with_fee(read)}
    if tag >= len(_INSTRUCTIONS):
        raise NotParsableError
    name, parse = _INSTRUCTIONS[tag]
    return {"type": name, "info": parse(read)}


def _transfer_checked_with_fee(read: InstructionReader) -> _Info:
    amount, decimals, fee = read.unsigned(8), read.unsigned(1), read.unsigned(8)
    return {
        **read.named("source", "mint", "destination"),
        "tokenAmount": ui_token_amount(amount, decimals),
        "feeAmount": ui_token_amount(fee, decimals),
        **_authority(read, 3, "authority"),
    }
