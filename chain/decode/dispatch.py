"""A transaction -> its instructions, with accounts resolved -> what each of them does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import base58

from chain.decode import associated_token, compute_budget, memo, system, token
from chain.decode.base import Decoded, Decoder, Instruction, Unknown

DECODERS: Mapping[str, Decoder] = {
    system.PROGRAM: system.decode,
    associated_token.PROGRAM: associated_token.decode,
    compute_budget.PROGRAM: compute_budget.decode,
    **dict.fromkeys(memo.PROGRAMS, memo.decode),
    **dict.fromkeys(token.PROGRAMS, token.decode),
}


def decode(instruction: Instruction) -> Decoded | Unknown:
    """What the instruction does, as far as one of our decoders knows its program."""
    decoder = DECODERS.get(instruction.program_id)
    return decoder(instruction) if decoder else Unknown(instruction.program_id, "another program")


def account_keys(transaction: Mapping[str, Any]) -> list[str]:
    """All accounts of a `getTransaction` answer (encodings `json` and `jsonParsed`) in balance order: the message's
    own, then those loaded from lookup tables, writable before read-only."""
    keys = [
        key if isinstance(key, str) else key["pubkey"] for key in transaction["transaction"]["message"]["accountKeys"]
    ]
    if any(not isinstance(key, str) for key in transaction["transaction"]["message"]["accountKeys"]):
        return keys  # jsonParsed lists the loaded ones already
    loaded = transaction["meta"].get("loadedAddresses") or {}
    return [*keys, *loaded.get("writable", ()), *loaded.get("readonly", ())]


def instructions(transaction: Mapping[str, Any]) -> Iterator[Instruction]:
    """Every instruction that ran, in the order in which they ran: each top-level one, then those that it caused.

    Takes encoding `json`; in `jsonParsed`, instructions that the node has parsed carry no data and are left out.
    """
    keys = account_keys(transaction)
    inner = {group["index"]: group["instructions"] for group in transaction["meta"].get("innerInstructions") or ()}
    for index, top in enumerate(transaction["transaction"]["message"]["instructions"]):
        yield from _resolved([top], keys, index, top_level=True)
        yield from _resolved(inner.get(index, ()), keys, index, top_level=False)


def _resolved(
    entries: Iterable[Mapping[str, Any]], keys: list[str], index: int, *, top_level: bool
) -> Iterator[Instruction]:
    for place, entry in enumerate(entries):
        if "data" not in entry:
            continue
        yield Instruction(
            program_id=keys[entry["programIdIndex"]] if "programIdIndex" in entry else entry["programId"],
            accounts=tuple(keys[account] if isinstance(account, int) else account for account in entry["accounts"]),
            data=base58.b58decode(entry["data"]),
            index=index,
            inner=None if top_level else place,
            stack_height=entry.get("stackHeight"),
        )
