"""A `getTransaction` answer as values, so that whoever matches it afterwards has nothing left to doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chain.decode.balances import TokenDelta, deltas
from chain.decode.base import Instruction
from chain.decode.dispatch import account_keys, instructions


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that has been executed. `err` is the runtime's error as JSON, None for success; `accounts` are in
    balance order, those of lookup tables last; `tokens` are the balances that changed; `instructions` all that ran,
    empty where they were not asked for."""

    slot: int
    signature: str
    err: Any
    logs: tuple[str, ...]
    fee_lamports: int
    accounts: tuple[str, ...]
    tokens: tuple[TokenDelta, ...]
    instructions: tuple[Instruction, ...]


def read_transaction(answer: Mapping[str, Any], *, with_instructions: bool) -> Transaction:
    """The values of a `getTransaction` answer (encoding `json`). Reading the instructions costs most of the time.

    Raises ValueError where it has not the shape that the method promises.
    """
    try:
        return _read(answer, with_instructions)
    except (KeyError, IndexError, TypeError, AttributeError, AssertionError) as error:
        raise ValueError(f"no transaction: {type(error).__name__}") from error


def _read(answer: Mapping[str, Any], with_instructions: bool) -> Transaction:
    meta = answer["meta"]
    keys = account_keys(answer)
    return Transaction(
        slot=int(answer["slot"]),
        signature=str(answer["transaction"]["signatures"][0]),
        err=meta["err"],
        logs=tuple(str(line) for line in meta.get("logMessages") or ()),
        fee_lamports=int(meta["fee"]),
        accounts=tuple(keys),
        tokens=deltas(meta, keys).tokens,
        instructions=tuple(instructions(answer)) if with_instructions else (),
    )
