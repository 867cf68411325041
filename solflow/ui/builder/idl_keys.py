"""What an IDL says of a card that names it: its events and instructions, and what an instruction takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chain.decode.idl import Idl, IdlError, UnknownName
from chain.decode.idl.model import AccountItem
from chain.decode.idl.types import Defined, Integer, Option, Plain, Struct, Type, describe
from solflow.ui.text import short
from workflows.specs.event_fields import EventField, FieldKind

_KINDS: Mapping[Type, FieldKind] = {Plain.BOOL: "boolean", Plain.STRING: "text", Plain.PUBKEY: "address"}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an object that gets a control: `is_text` where every text is a right value of its type."""

    name: str
    kind: str
    is_text: bool
    about: str
    optional: bool = False


def names_of(idl: Idl, field: str) -> tuple[str, ...]:
    """What a field that holds a name may name: instructions or events of the IDL."""
    if field == "instruction":
        return tuple(sorted(idl.instructions))
    return tuple(sorted(layout.name for layout in idl.events)) if field == "event" else ()


def keys_of(part: Mapping[str, Any], field: str, idl: Idl) -> list[Key] | None:
    """The controls of a call's accounts or arguments: those that its instruction takes, then what else it names. None
    for other fields, and while the instruction is not one of the IDL's."""
    if field not in ("accounts", "args") or not isinstance(part.get(field, {}), Mapping):
        return None
    try:
        instruction = idl.instruction(str(part.get("instruction")))
    except UnknownName:
        return None
    if field == "accounts":
        keys = [Key(one.full_name, "address", True, _account(one), _is_optional(one)) for one in instruction.accounts]
    else:
        keys = [
            Key(one.name, _kind(one.type), _is_text(one.type), describe(one.type))
            for one in instruction.arguments.items
        ]
    known = {key.name for key in keys}
    is_text = field == "accounts"
    more = [
        Key(name, "line", is_text, "not in the IDL under this name")
        for name in part.get(field, {})
        if name not in known
    ]
    return keys + more


def event_fields(idl: Idl, event: Any) -> tuple[EventField, ...]:
    """The fields of an event below `event.data`; none while it is not one of the IDL's."""
    layout = next((one for one in idl.events if one.name == event), None)
    if layout is None:
        return ()
    try:
        body = idl.types.body(layout.type)
    except IdlError:
        return ()
    fields = body.fields.items if isinstance(body, Struct) and body.fields.named else ()
    return tuple(EventField(f"event.data.{one.name}", _field_kind(one.type), describe(one.type)) for one in fields)


def _field_kind(kind: Type) -> FieldKind:
    return "integer" if isinstance(kind, Integer) else _KINDS.get(kind, "any")


def _is_text(kind: Type) -> bool:
    inner = kind.inner if isinstance(kind, Option) else kind
    return inner in (Plain.STRING, Plain.PUBKEY)


def _kind(kind: Type) -> str:
    return "text" if isinstance(kind, Defined) else "code"


def _is_optional(account: AccountItem) -> bool:
    return account.optional or account.address is not None or account.pda is not None or account.signer


def _account(account: AccountItem) -> str:
    traits = [word for word, holds in (("signs", account.signer), ("is written to", account.writable)) if holds]
    if account.address is not None:
        traits.append(f"is always {short(account.address)}")
    elif account.pda is not None:
        traits.append("is derived when left out")
    elif account.signer:
        traits.append("is the workflow's signer when left out and no other signs")
    return ", ".join(traits).capitalize() + "." if traits else ""
