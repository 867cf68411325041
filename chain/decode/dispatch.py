"""A transaction -> its instructions, with accounts resolved -> what each of them does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chain.decode import associated_token, compute_budget, memo, system, token
from chain.decode.answer import Entry, read_instructions
from chain.decode.base import Decoded, Decoder, Instruction, Unknown
from chain.decode.base58_data import base58_bytes

DECODERS: Mapping[str, Decoder] = {
    system.PROGRAM: system.decode,
    associated_token.PROGRAM: associated_token.decode,
    compute_budget.PROGRAM: compute_budget.decode,
    **dict.fromkeys(memo.PROGRAMS, memo.decode),
    **dict.fromkeys(token.PROGRAMS, token.decode),
}


def decode(instruction: Instruction) -> Decoded | Unknown:
    """What the instruction does, as far as one of our decoders knows its program."""
    if instruction.is_parsed:
        return Unknown(instruction.program_id, "the node tells what it has parsed, and no bytes")
    decoder = DECODERS.get(instruction.program_id)
    return decoder(instruction) if decoder else Unknown(instruction.program_id, "another program")


def instructions(answer: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Instruction]:
    """Every instruction that ran, in the order in which they ran: each top-level one, then those that it caused. `keys`
    are all accounts of the `getTransaction` answer.

    Takes encoding `json`; of `jsonParsed`, what the node has parsed comes without bytes and accounts. Raises ValueError
    where the answer has not the shape that the method promises.
    """
    ran = read_instructions(answer, len(keys))
    for index, top in enumerate(ran.top):
        yield from _resolved([top], keys, index, top_level=True)
        yield from _resolved(ran.inner.get(index, ()), keys, index, top_level=False)


def _resolved(entries: Iterable[Entry], keys: tuple[str, ...], index: int, *, top_level: bool) -> Iterator[Instruction]:
    for place, entry in enumerate(entries):
        program_id = keys[entry.program_id_index] if entry.program_id_index is not None else entry.program_id
        assert program_id is not None  # read_answer has seen to it
        yield Instruction(
            program_id=program_id,
            accounts=tuple(account if isinstance(account, str) else keys[account] for account in entry.accounts),
            data=b"" if entry.data is None else base58_bytes(entry.data),
            index=index,
            inner=None if top_level else place,
            stack_height=entry.stack_height,
            is_parsed=entry.data is None,
        )
