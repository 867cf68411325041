"""Instructions of the compute budget program: what a transaction may use, and what it bids for it."""

from __future__ import annotations

from chain.decode.base import Decoded, Instruction, Layout, Reader, TooShort, Unknown, u8, u32, u64

PROGRAM = "ComputeBudget111111111111111111111111111111"

# By the variant's number, one byte: solana-compute-budget-interface, ComputeBudgetInstruction.
_LAYOUTS = {
    1: Layout("requestHeapFrame", (), (("bytes", u32),)),
    2: Layout("setComputeUnitLimit", (), (("units", u32),)),
    3: Layout("setComputeUnitPrice", (), (("microLamports", u64),)),
    4: Layout("setLoadedAccountsDataSizeLimit", (), (("bytes", u32),)),
}


def decode(instruction: Instruction) -> Decoded | Unknown:
    """A limit, or the price per compute unit in millionths of a lamport."""
    reader = Reader(instruction.data)
    try:
        variant = u8(reader)
        layout = _LAYOUTS.get(variant)
        if layout is None:
            return Unknown(instruction.program_id, f"variant {variant}")
        return layout.read("compute-budget", reader, instruction.accounts)
    except TooShort:
        return Unknown(instruction.program_id, "too short")
