"""A trigger that waits for an event of an IDL, against that IDL: what could never come is refused when it is saved.
Pure."""

from __future__ import annotations

from collections.abc import Iterator

from chain.decode.idl import InvalidIdl, parse_idl
from chain.decode.idl.names import choices, find, meant
from workflows.specs.errors import SpecError
from workflows.specs.idl_calls import StoredIdl
from workflows.specs.triggers import ProgramLog


def event_problems(trigger: ProgramLog, stored: StoredIdl) -> Iterator[SpecError]:
    """What is wrong with the program and the event that the trigger names."""
    if stored.program_id != trigger.program_id:
        detail = f"trigger.idl is the IDL of {stored.program_id}, and the trigger is about another program."
        yield SpecError("trigger.idl", "other_program", detail)
        return
    try:
        known = {layout.name: layout for layout in parse_idl(stored.document, stored.program_id).events}
    except InvalidIdl as error:
        yield SpecError("trigger.idl", "not_an_idl", f"trigger.idl cannot be used: {error}.")
        return
    name = trigger.event or ""
    if find(name, known) is None:
        detail = f"trigger.event: the IDL has no event {name}{meant(name, known)} Known: {choices(known)}."
        yield SpecError("trigger.event", "unknown_event", detail)
