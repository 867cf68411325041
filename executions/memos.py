"""The memo that every attempt carries, `solflow:<first 16 hex of the execution id>:<attempt>`, read back. Pure.

Anybody may send a transaction that mentions our signer and carries such a text. Two things make it ours: the signer
paid for the transaction, which nobody can bring about without its key, and the memo is the last instruction, which is
where executions.build puts it. A `memo` action stands before it, and may repeat whatever an event brought along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import base58

from chain.decode import memo as memo_program

NUMBER_MAX = 32_767
MARK = "solflow:"
_MEMO = re.compile(rf"{MARK}([0-9a-f]{{16}}):([1-9][0-9]{{0,4}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Memo:
    """Which execution, by the first 16 hex digits of its id, and which of its attempts."""

    prefix: str
    number: int

    def __str__(self) -> str:
        return f"{MARK}{self.prefix}:{self.number}"


def parse(text: str) -> Memo | None:
    """The memo that `text` is, whole; None for anything else."""
    found = _MEMO.fullmatch(text)
    if found is None or int(found[2]) > NUMBER_MAX:
        return None
    return Memo(found[1], int(found[2]))


def may_be_ours(listed: str | None) -> bool:
    """Whether a row of an address's history is worth a look at its transaction.

    `listed` is what `getSignaturesForAddress` shows of the top-level memos, `[30] one text; [2] hi`. It does not say
    who paid, and a text can imitate the brackets: it proves nothing, it only saves requests.
    """
    return listed is not None and MARK in listed


def of_transaction(found: Mapping[str, Any], signer: str) -> Memo | None:
    """The memo of an attempt of `signer`; None where the transaction is not one of SolFlow's with this signer.

    `found` is `getTransaction` in the encoding `json`. What other programs called (inner instructions) does not count.
    """
    message = found["transaction"]["message"]
    keys, instructions = message["accountKeys"], message["instructions"]
    if not keys or keys[0] != signer or not instructions:
        return None
    last = instructions[-1]
    # A program is never loaded from a lookup table, so its index is one of the message's own keys.
    if last["programIdIndex"] >= len(keys) or keys[last["programIdIndex"]] not in memo_program.PROGRAMS:
        return None
    return parse(base58.b58decode(last["data"]).decode(errors="replace"))
