"""A call by IDL against its IDL: what could never be built is refused when it is saved. Pure.

Values that are templates are not known yet, nor what is on chain: the worker asks again with all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chain.decode.idl import InvalidIdl, UnknownName, account_problems, argument_problems, parse_idl
from workflows.specs.actions import CallProgramByIdl
from workflows.specs.errors import SpecError
from workflows.templating import is_template


@dataclass(frozen=True, slots=True)
class StoredIdl:
    """An IDL as it is stored: its program and its document."""

    program_id: str
    document: Any


def call_problems(call: CallProgramByIdl, stored: StoredIdl, path: str) -> Iterator[SpecError]:
    """What is wrong with the call that stands at `path`: its program, its instruction, arguments and accounts."""
    if stored.program_id != call.program_id:
        detail = f"{path}.idl is the IDL of {stored.program_id}, and the call is to another program."
        yield SpecError(f"{path}.idl", "other_program", detail)
        return
    try:
        idl = parse_idl(stored.document, stored.program_id)
        instruction = idl.instruction(call.instruction)
    except InvalidIdl as error:
        yield SpecError(f"{path}.idl", "not_an_idl", f"{path}.idl cannot be used: {error}.")
        return
    except UnknownName as error:
        yield SpecError(f"{path}.instruction", "unknown_instruction", f"{path}.instruction: {error}.")
        return
    for code, problems in (
        ("bad_argument", argument_problems(idl, instruction, call.args, _is_open)),
        ("bad_account", account_problems(idl, instruction, call.accounts, _is_open)),
    ):
        for problem in problems:
            where = f"{path}.{problem.path}"
            yield SpecError(where, code, f"{where} {problem.detail}.")


def _is_open(value: Any) -> bool:
    return isinstance(value, str) and is_template(value)
