"""Paying out of somebody else's token account, whose owner has approved the signer on chain for so much. Pure.

The approval is the second wall: whatever becomes of the key, the chain lets it take no more than that. The first wall
stands too: what leaves such an account is judged like what leaves the signer's own (executions.outflow).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from solders import instruction
from solders.message import Message, MessageV0, MessageV1

from chain.decode import authorities, authorized, token
from chain.decode.authorities import TOKEN_PROGRAMS, TokenAccount
from chain.decode.base import Decoded, Instruction
from chain.tx.instructions import associated_token_address
from chain.types import AccountSample

# What the token programs say of a payment that they refuse.
INSUFFICIENT_FUNDS, OWNER_MISMATCH = 1, 4

AnyMessage = Message | MessageV0 | MessageV1
Accounts = Mapping[str, AccountSample | None]


def most(account: TokenAccount | None, signer: str, keep: int) -> int:
    """All that the signer may take now while `keep` stays there; 0 or less where that is nothing."""
    if account is None:
        return 0
    if account.owner == signer:
        return account.amount - keep
    return min(account.amount - keep, account.delegated if account.delegate == signer else 0)


def taken_from(instructions: Iterable[instruction.Instruction], signer: str) -> frozenset[str]:
    """The token accounts, its own or not, that the signer takes from by these instructions themselves."""
    plain = (
        Instruction(str(one.program_id), tuple(str(meta.pubkey) for meta in one.accounts), bytes(one.data))
        for one in instructions
    )
    return authorized.taken_from(plain, signer)


def refusal(message: AnyMessage, index: int, cause: object, before: Accounts) -> str:
    """Why a top-level transfer out of somebody else's token account was refused, as a sentence; "" for anything else.

    `before` are accounts as they were before it, where they are at hand: with them it has the figures.
    """
    draw = _draw(message, index)
    if draw is None:
        return ""
    source, asked, signer = draw.values["source"], draw.values["amount"], draw.values["authority"]
    if source not in before:
        return _without_figures(draw, signer, cause)
    found = authorities.read(before[source])
    account = found.token if found is not None else None
    if account is None:
        return f"there is no token account {source} to take from"
    if account.owner == signer:
        return ""
    match cause:
        case {"Custom": code} if code == OWNER_MISMATCH:
            return f"{_not_approved(source)}; its owner is {account.owner}"
        case {"Custom": code} if code == INSUFFICIENT_FUNDS:
            return (
                f"{asked} base units were to be taken from {source}, which holds {account.amount} and of which its "
                f"owner {account.owner} lets the signer take {account.delegated} more"
            )
        case _:
            return ""


def _without_figures(draw: Decoded, signer: str, cause: object) -> str:
    source, mint = draw.values["source"], draw.values.get("mint")
    program = next(program for program, name in token.PROGRAMS.items() if name == draw.program)
    if mint is None or source == associated_token_address(signer, mint, program):
        return ""
    match cause:
        case {"Custom": code} if code == OWNER_MISMATCH:
            return _not_approved(source)
        case {"Custom": code} if code == INSUFFICIENT_FUNDS:
            asked = draw.values["amount"]
            return f"{asked} base units are more than {source} holds, or than its owner lets the signer take"
        case _:
            return ""


def _not_approved(source: str) -> str:
    return f"the owner of {source} has not approved the signer, has revoked the approval, or it is used up"


def _draw(message: AnyMessage, index: int) -> Decoded | None:
    """The transfer at this place by the payer's signature."""
    keys = message.account_keys
    if not 0 <= index < len(message.instructions):
        return None
    compiled = message.instructions[index]
    program = str(keys[compiled.program_id_index])
    if program not in TOKEN_PROGRAMS or any(place >= len(keys) for place in compiled.accounts):
        return None
    accounts = tuple(str(keys[place]) for place in compiled.accounts)
    told = token.decode(Instruction(program_id=program, accounts=accounts, data=bytes(compiled.data)))
    if not isinstance(told, Decoded) or told.name not in ("transfer", "transferChecked"):
        return None
    return told if told.values["authority"] == str(keys[0]) else None
