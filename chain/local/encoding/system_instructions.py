"""jsonParsed instructions of the system program, with the names that Solana's own parser gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chain.local.encoding.instruction_data import InstructionReader, NotParsableError

_Info = dict[str, Any]


def _create_account(read: InstructionReader) -> _Info:
    return {
        **read.named("source", "newAccount"),
        "lamports": read.unsigned(8),
        "space": read.unsigned(8),
        "owner": read.key(),
    }


def _assign(read: InstructionReader) -> _Info:
    return {"account": read.account(0), "owner": read.key()}


def _transfer(read: InstructionReader) -> _Info:
    return {**read.named("source", "destination"), "lamports": read.unsigned(8)}


def _create_account_with_seed(read: InstructionReader) -> _Info:
    return {
        **read.named("source", "newAccount"),
        "base": read.key(),
        "seed": read.text(),
        "lamports": read.unsigned(8),
        "space": read.unsigned(8),
        "owner": read.key(),
    }


def _advance_nonce(read: InstructionReader) -> _Info:
    return dict(read.named("nonceAccount", "recentBlockhashesSysvar", "nonceAuthority"))


def _withdraw_from_nonce(read: InstructionReader) -> _Info:
    names = ("nonceAccount", "destination", "recentBlockhashesSysvar", "rentSysvar", "nonceAuthority")
    return {**read.named(*names), "lamports": read.unsigned(8)}


def _initialize_nonce(read: InstructionReader) -> _Info:
    return {**read.named("nonceAccount", "recentBlockhashesSysvar", "rentSysvar"), "nonceAuthority": read.key()}


def _authorize_nonce(read: InstructionReader) -> _Info:
    return {**read.named("nonceAccount", "nonceAuthority"), "newAuthorized": read.key()}


def _allocate(read: InstructionReader) -> _Info:
    return {"account": read.account(0), "space": read.unsigned(8)}


def _allocate_with_seed(read: InstructionReader) -> _Info:
    return {
        "account": read.account(0),
        "base": read.key(),
        "seed": read.text(),
        "space": read.unsigned(8),
        "owner": read.key(),
    }


def _assign_with_seed(read: InstructionReader) -> _Info:
    return {"account": read.account(0), "base": read.key(), "seed": read.text(), "owner": read.key()}


def _transfer_with_seed(read: InstructionReader) -> _Info:
    return {
        **read.named("source", "sourceBase", "destination"),
        "lamports": read.unsigned(8),
        "sourceSeed": read.text(),
        "sourceOwner": read.key(),
    }


def _upgrade_nonce(read: InstructionReader) -> _Info:
    return dict(read.named("nonceAccount"))


_INSTRUCTIONS: tuple[tuple[str, Callable[[InstructionReader], _Info]], ...] = (
    ("createAccount", _create_account),
    ("assign", _assign),
    ("transfer", _transfer),
    ("createAccountWithSeed", _create_account_with_seed),
    ("advanceNonce", _advance_nonce),
    ("withdrawFromNonce", _withdraw_from_nonce),
    ("initializeNonce", _initialize_nonce),
    ("authorizeNonce", _authorize_nonce),
    ("allocate", _allocate),
    ("allocateWithSeed", _allocate_with_seed),
    ("assignWithSeed", _assign_with_seed),
    ("transferWithSeed", _transfer_with_seed),
    ("upgradeNonce", _upgrade_nonce),
)


def parse_system_instruction(read: InstructionReader) -> _Info:
    """`{"type", "info"}`. Raises NotParsableError."""
    tag = read.unsigned(4)
    if tag >= len(_INSTRUCTIONS):
        raise NotParsableError
    name, parse = _INSTRUCTIONS[tag]
    return {"type": name, "info": parse(read)}
