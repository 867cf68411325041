"""Whose signature took from which token account, told from the instructions of a transaction."""

from __future__ import annotations

from typing import Any

import base58
from solders.pubkey import Pubkey

from chain.decode.authorized import taken_from
from chain.decode.dispatch import instructions
from chain.tx.instructions import TOKEN_2022_PROGRAM, TOKEN_PROGRAM

SIGNER, OTHER, A, B, C, MINT = (str(Pubkey.new_unique()) for _ in range(6))
KEYS = [SIGNER, OTHER, A, B, C, MINT, TOKEN_PROGRAM, TOKEN_2022_PROGRAM]


def instruction(data: bytes, *accounts: str, program: str = TOKEN_PROGRAM) -> dict[str, Any]:
    return {
        "programIdIndex": KEYS.index(program),
        "accounts": [KEYS.index(one) for one in accounts],
        "data": base58.b58encode(data).decode(),
    }


def transaction(*top: dict[str, Any], inner: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    groups = None if inner is None else [{"index": 0, "instructions": inner}]
    return {
        "transaction": {"message": {"accountKeys": KEYS, "instructions": list(top)}},
        "meta": {"innerInstructions": groups},
    }


def taken(found: dict[str, Any], authority: str) -> frozenset[str]:
    return taken_from(instructions(found, tuple(KEYS)), authority)


AMOUNT = (5).to_bytes(8, "little")


def test_transfers_burns_and_closings_by_the_signature_are_found_at_any_depth() -> None:
    """With the mint named or not, in both programs."""
    found = transaction(
        instruction(b"\x03" + AMOUNT, A, B, SIGNER),
        inner=[
            instruction(b"\x0f" + AMOUNT + b"\x06", B, MINT, SIGNER, program=TOKEN_2022_PROGRAM),
            instruction(b"\x09", C, OTHER, SIGNER),
        ],
    )
    assert taken(found, SIGNER) == {A, B, C}
    assert taken(found, OTHER) == set()


def test_what_others_sign_for_and_what_takes_nothing_is_left_out() -> None:
    """Approving moves nothing, and bytes that are no instruction of the program say nothing."""
    found = transaction(
        instruction(b"\x03" + AMOUNT, A, B, OTHER),
        instruction(b"\x04" + AMOUNT, B, OTHER, SIGNER),
        instruction(b"\x03", C, B, SIGNER),
        instruction(b"\xff", C, B, SIGNER),
    )
    assert taken(found, SIGNER) == set()
    assert taken(found, OTHER) == {A}
