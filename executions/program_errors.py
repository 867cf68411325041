"""Why a transaction failed, in one sentence that a person understands. Pure.

1. The program is that of the first `Program … failed` line of the log, the innermost: the error passed unchanged
   through those that called it. Without such a line (a log may be cut) it is the one whose instruction failed.
2. The code's meaning is the IDL's, then Anchor's own for programs with an IDL, then what the system and token programs
   mean by theirs, then what the program itself wrote into the log as Anchor's programs do.
3. Where it was a payment out of somebody else's account, what its owner has allowed is told too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chain.decode.custom_errors import ANCHOR, PROGRAMS, Meaning
from chain.decode.idl import Idl
from chain.decode.logs import attribute
from executions import delegation
from executions.delegation import Accounts, AnyMessage

_FAILED = re.compile(r"Program ([1-9A-HJ-NP-Za-km-z]{32,44}) failed: (.*)", re.DOTALL)
_ANCHOR_LOG = re.compile(
    r"AnchorError .*?Error Code: (\w{1,100})\. Error Number: (\d{1,10})\. Error Message: (.*?)\.?", re.DOTALL
)
_WORD_STARTS = re.compile(r"(?<=[a-z])(?=[A-Z])")
# What a program writes is whatever it likes.
_SHOWN_CHARACTERS = 200


def explain(
    error: Any,
    *,
    message: AnyMessage | None,
    logs: Sequence[str] = (),
    idls: Mapping[str, Idl] | None = None,
    before: Accounts | None = None,
) -> str:
    """A runtime's error as JSON (`{"InstructionError": [1, {"Custom": 6001}]}`) as the end of a sentence.

    `message` is the transaction's, where it is at hand; `idls` are by program id; `before` are accounts as they were
    before it. Instructions are numbered from 1, as explorers do. Whatever is not known is told as the runtime tells it.
    """
    match error:
        case {"InstructionError": [int(index), cause]}:
            told = _instruction_error(index, cause, message, logs, idls or {})
            allowed = delegation.refusal(message, index, cause, before or {}) if message is not None else ""
            return f"{told}; {allowed}" if allowed else told
        case {"InsufficientFundsForRent": {"account_index": int(index)}}:
            return f"{_account(index, message)} would be left with less than the rent-exempt minimum"
        case str():
            return _words(error)
        case _:
            return str(error)


def _instruction_error(
    index: int, cause: Any, message: AnyMessage | None, logs: Sequence[str], idls: Mapping[str, Idl]
) -> str:
    program_id, reason = _failing_line(logs) or (_called(index, message), "")
    idl = idls.get(program_id)
    program = f"program {program_id}{f' ({idl.name})' if idl is not None and idl.name else ''}"
    where = f"{program} failed in instruction #{index + 1}"
    match cause:
        case {"Custom": int(code)}:
            meaning = _meaning(code, program_id, idl) or _written(code, program_id, logs)
            if meaning is None:
                return f"{where} with its custom error {code} ({code:#x})"
            name, sentence = meaning
            return f"{where} with {name} (custom error {code}){f': {sentence}' if sentence else ''}"
        case str():
            return f"{where}: {_shown(reason) or _words(cause)}"
        case _:
            return f"{where}: {cause}"


def _meaning(code: int, program_id: str, idl: Idl | None) -> Meaning | None:
    if idl is not None:
        known = idl.error(code)
        return (known.name, known.message) if known is not None else ANCHOR.get(code)
    return PROGRAMS.get(program_id, {}).get(code)


def _written(code: int, program_id: str, logs: Sequence[str]) -> Meaning | None:
    """What the failing program wrote about this very code."""
    for line in reversed(attribute(logs).lines):
        told = _ANCHOR_LOG.fullmatch(line.text) if line.program_id == program_id else None
        if told is not None and int(told[2]) == code:
            return told[1], _shown(told[3])
    return None


def _failing_line(logs: Sequence[str]) -> tuple[str, str] | None:
    for line in logs:
        failed = _FAILED.fullmatch(line)
        if failed is not None:
            return failed[1], failed[2]
    return None


def _called(index: int, message: AnyMessage | None) -> str:
    """The program of a top-level instruction, which is always among the message's own accounts."""
    if message is None or not 0 <= index < len(message.instructions):
        return "(unknown)"
    return str(message.account_keys[message.instructions[index].program_id_index])


def _account(index: int, message: AnyMessage | None) -> str:
    if message is not None and 0 <= index < len(message.account_keys):
        return f"the account {message.account_keys[index]}"
    return f"account #{index + 1} of the transaction"


def _words(name: str) -> str:
    """`InsufficientFundsForFee` as words."""
    return _WORD_STARTS.sub(" ", name).lower()


def _shown(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable if len(printable) <= _SHOWN_CHARACTERS else printable[:_SHOWN_CHARACTERS] + "…"
