"""Instructions of the associated token account program."""

from __future__ import annotations

from chain.decode.base import Decoded, Instruction, Layout, Reader, Unknown, Unreadable

PROGRAM = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"

_CREATE_ACCOUNTS = ("payer", "account", "wallet", "mint", "systemProgram", "tokenProgram")
_LAYOUTS = {
    0: Layout("create", _CREATE_ACCOUNTS),
    1: Layout("createIdempotent", _CREATE_ACCOUNTS),
    2: Layout(
        "recoverNested",
        ("nestedSource", "nestedMint", "destination", "nestedOwner", "ownerMint", "wallet", "tokenProgram"),
    ),
}


def decode(instruction: Instruction) -> Decoded | Unknown:
    """A create (also the first version, which has no data at all) or a recovery."""
    variant = instruction.data[0] if instruction.data else 0
    layout = _LAYOUTS.get(variant)
    if layout is None:
        return Unknown(instruction.program_id, f"variant {variant}")
    try:
        return layout.read("ata", Reader(b""), instruction.accounts)
    except Unreadable as error:
        return Unknown(instruction.program_id, str(error))
