"""What is in an IDL, for people: what its program can be told, what it tells, and its errors. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chain.decode.idl import parse_idl
from chain.decode.idl.errors import TypeProblem
from chain.decode.idl.model import AccountItem, Idl, Layout
from chain.decode.idl.types import Fields, Struct, describe


@dataclass(frozen=True, slots=True)
class Instruction:
    """`arguments` as (name, type); `accounts` as (name, what is asked of it)."""

    name: str
    arguments: list[tuple[str, str]]
    accounts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Event:
    """`fields` as (name, type)."""

    name: str
    fields: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Summary:
    program: str
    instructions: list[Instruction]
    events: list[Event]
    errors: list[tuple[int, str, str]]


def summary(document: Mapping[str, Any], program_id: str) -> Summary:
    """The names by which definitions speak of a stored IDL, in alphabetical order."""
    idl = parse_idl(document, program_id)
    return Summary(
        idl.name,
        [
            Instruction(one.name, _fields(one.arguments), [(item.full_name, _asked(item)) for item in one.accounts])
            for one in sorted(idl.instructions.values(), key=lambda one: one.name)
        ],
        sorted((_event(idl, one) for one in idl.events), key=lambda one: one.name),
        sorted((one.code, one.name, one.message) for one in idl.errors.values()),
    )


def _event(idl: Idl, event: Layout) -> Event:
    try:
        body = idl.types.body(event.type)
    except TypeProblem:
        # Something that this codec cannot read: the event is there, its fields are not.
        return Event(event.name, [])
    return Event(event.name, _fields(body.fields) if isinstance(body, Struct) else [])


def _fields(fields: Fields) -> list[tuple[str, str]]:
    return [(one.name or str(number), describe(one.type)) for number, one in enumerate(fields.items)]


def _asked(item: AccountItem) -> str:
    """What a caller has to know of an account."""
    asked = [word for word, holds in (("signs", item.signer), ("writable", item.writable)) if holds]
    if item.address or item.pda:
        asked.append("filled in")
    elif item.optional:
        asked.append("optional")
    return ", ".join(asked)
