"""Instructions of the compute budget program: what a transaction may use, and what it bids for it."""

from __future__ import annotations

from chain.decode.base import Decoded, Instruction, Layout, Unknown, read_variant, u8, u32, u64

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
    return read_variant("compute-budget", u8, _LAYOUTS, instruction)
