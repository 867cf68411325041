"""What the instructions of a message do, for people. Pure.

Only those that SolFlow wrote: a simulation does not show the instructions that these cause. What they move is in the
balances all the same.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from solders.message import MessageV0

from chain.decode.base import Decoded, Instruction
from chain.decode.dispatch import decode
from chain.decode.idl import DecodedData, Idl, decode_instruction


@dataclass(frozen=True, slots=True)
class ToldInstruction:
    """`type` is `system.transfer` or alike; where nothing knows the instruction it is None, and `unknown` says why."""

    program_id: str
    accounts: Sequence[str]
    data_base64: str
    type: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    unknown: str | None = None


def told_instructions(message: MessageV0, keys: Sequence[str], idls: Mapping[str, Idl]) -> list[ToldInstruction]:
    """All of them in their order; `keys` are the message's accounts with those of lookup tables behind them, `idls` by
    program."""
    return [
        _told(
            Instruction(
                program_id=keys[one.program_id_index],
                accounts=tuple(keys[place] for place in one.accounts),
                data=bytes(one.data),
            ),
            idls,
        )
        for one in message.instructions
    ]


def _told(instruction: Instruction, idls: Mapping[str, Idl]) -> ToldInstruction:
    """By our own decoders, else by the IDL that it was built with."""
    about = instruction.program_id, instruction.accounts, base64.b64encode(instruction.data).decode()
    found = decode(instruction)
    if isinstance(found, Decoded):
        return ToldInstruction(*about, type=found.type, values=found.values)
    idl = idls.get(instruction.program_id)
    if idl is None:
        return ToldInstruction(*about, unknown=found.reason)
    by_idl = decode_instruction(idl, instruction.data)
    if isinstance(by_idl, DecodedData):
        return ToldInstruction(*about, type=f"{idl.name}.{by_idl.name}", values=by_idl.values)
    return ToldInstruction(*about, unknown="no instruction of its IDL" if by_idl is None else by_idl.reason)
