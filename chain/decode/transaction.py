"""A `getTransaction` answer as values, so that whoever matches it afterwards has nothing left to doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chain.decode.answer import read_answer
from chain.decode.balances import TokenDelta, deltas
from chain.decode.base import Instruction
from chain.decode.dispatch import instructions
from chain.decode.logs import told_logs


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that has been executed. `err` is the runtime's error as JSON, None for success; `accounts` are in
    balance order, those of lookup tables last; `tokens` are the balances that changed, `handed_over` those whose owner
    did (chain.decode.balances.Deltas); `instructions` all that ran, empty where they were not asked for."""

    slot: int
    signature: str
    err: Any
    logs: tuple[str, ...]
    fee_lamports: int
    accounts: tuple[str, ...]
    tokens: tuple[TokenDelta, ...]
    handed_over: tuple[TokenDelta, ...]
    instructions: tuple[Instruction, ...]


def read_transaction(answer: Mapping[str, Any], *, with_instructions: bool) -> Transaction:
    """The values of a `getTransaction` answer (encoding `json`). Reading the instructions costs most of the time.

    Raises ValueError where it has not the shape that the method promises.
    """
    read = read_answer(answer)
    moved = deltas(read)
    return Transaction(
        slot=read.slot,
        signature=read.signature,
        err=read.err,
        logs=told_logs(read.logs, read.err),
        fee_lamports=read.fee,
        accounts=read.keys,
        tokens=moved.tokens,
        handed_over=moved.handed_over,
        instructions=tuple(instructions(answer, read.keys)) if with_instructions else (),
    )
