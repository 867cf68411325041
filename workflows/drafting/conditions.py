"""The filter as the rows of its form, and what was posted for them as a filter again. Pure.

A row is a group, a condition, or `odd`: a part of which no form can be made, which is edited as JSON. `all` and `any`
under a `not` are one row, "none of" and "not all of": people say it so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workflows.drafting.paths import NoSuchPlace, value_at, with_value
from workflows.drafting.values import Posted, in_sol, scalar_of, scalar_text
from workflows.specs.conditions import LAMPORT_FIELDS
from workflows.specs.event_fields import EVENT_FIELDS, EventField, FieldKind, field_named
from workflows.specs.filter_types import operators_for
from workflows.specs.operators import OPERATORS, TAKES, Operator

Mode = Literal["all", "any", "none", "not_all"]
Control = Literal["text", "lines", "boolean", "address_list", "nothing"]
MODES: Mapping[Mode, tuple[str, ...]] = {
    "all": ("all",),
    "any": ("any",),
    "none": ("not", "any"),
    "not_all": ("not", "all"),
}
# "/" is in no path.
MODE = "/mode"

_INTEGER = re.compile(r"-?[0-9]{1,39}", re.ASCII)
_TEXTUAL: frozenset[FieldKind] = frozenset({"text", "address", "signature", "base64"})


@dataclass(frozen=True, slots=True)
class Row:
    """`members` is the path of a group's list; `control` how a condition's value is asked for."""

    path: str
    kind: Literal["group", "condition", "not", "odd"]
    mode: Mode | None = None
    members: str = ""
    children: tuple[Row, ...] = ()
    field: str = ""
    op: str = ""
    operators: tuple[Operator, ...] = ()
    control: Control = "text"
    text: str = ""
    event_field: EventField | None = None


def rows_of(part: Any, trigger_type: str | None, path: str = "filter") -> Row:
    """The rows of a filter, or of a part of it at `path`; whatever it looks like."""
    mode = _mode(part)
    if mode is not None:
        members = ".".join((path, *MODES[mode]))
        items = value_at({"it": part}, ".".join(("it", *MODES[mode])))
        children = tuple(
            rows_of(item, trigger_type, f"{members}[{index}]") for index, item in enumerate(items) if index < 1000
        )
        return Row(path, "group", mode, members, children)
    if isinstance(part, Mapping) and "not" in part:
        return Row(path, "not", members=f"{path}.not", children=(rows_of(part["not"], trigger_type, f"{path}.not"),))
    if isinstance(part, Mapping) and not ({"all", "any"} & set(part)):
        return _condition(part, trigger_type, path)
    return Row(path, "odd", text=json.dumps(part, ensure_ascii=False, indent=2))


def new_condition(trigger_type: str | None) -> dict[str, Any]:
    """A condition to begin with: on the first field that is the trigger's own, not yet compared with anything."""
    fields = EVENT_FIELDS.get(trigger_type or "", ())
    first = next((one for one in fields[4:] if not one.open), None)
    if first is None:
        return {"field": "event.slot" if not fields[4:] else fields[4].path, "op": "eq", "value": ""}
    best = next((one for one in fields if one.path == "event.lamports_delta"), first)
    return {"field": best.path, "op": "gte" if best.kind == "integer" else "eq", "value": ""}


def read_filter(document: Any, row: Row, posted: Posted, trigger_type: str | None) -> Any:
    """The document with what was posted for the row and all below it."""
    for child in row.children:
        document = read_filter(document, child, posted, trigger_type)
    if row.kind == "condition":
        return with_value(document, row.path, _read_condition(value_at(document, row.path), row, posted, trigger_type))
    if row.kind == "odd" and (posted.get(row.path) or row.text) != row.text:
        return with_value(document, row.path, scalar_of(posted.get(row.path) or ""))
    mode = posted.get(row.path + MODE)
    if row.kind == "group" and mode is not None and mode in MODES and mode != row.mode:
        return with_value(document, row.path, _group(mode, value_at(document, row.members)))
    return document


def _group(mode: str, members: Any) -> dict[str, Any]:
    built: Any = members
    for key in reversed(MODES[mode]):  # type: ignore[index]
        built = {key: built}
    return dict(built)


def _mode(part: Any) -> Mode | None:
    for mode, keys in MODES.items():
        held = part
        for key in keys:
            held = held[key] if isinstance(held, Mapping) and set(held) == {key} else None
        if isinstance(held, list):
            return mode
    return None


def _condition(part: Mapping[str, Any], trigger_type: str | None, path: str) -> Row:
    name, op = part.get("field"), part.get("op")
    name, op = name if isinstance(name, str) else "", op if isinstance(op, str) else ""
    known = field_named(trigger_type, name) if trigger_type is not None and trigger_type in EVENT_FIELDS else None
    operators = operators_for(known.kind) if known is not None else OPERATORS
    control = _control(op, known)
    text = _shown(part.get("value"), control, name, known) if "value" in part else ""
    return Row(path, "condition", None, "", (), name, op, operators, control, text, known)


def _control(op: str, known: EventField | None) -> Control:
    takes = TAKES.get(op, "scalar")  # type: ignore[call-overload]
    if takes in ("nothing", "address_list"):
        return "nothing" if takes == "nothing" else "address_list"
    if takes == "list":
        return "lines"
    return "boolean" if known is not None and known.kind == "boolean" else "text"


def _read_condition(part: Any, row: Row, posted: Posted, trigger_type: str | None) -> dict[str, Any]:
    changed = dict(part) if isinstance(part, Mapping) else {}
    for key in ("field", "op"):
        given = posted.get(f"{row.path}.{key}")
        if given is not None and given.strip() != changed.get(key, ""):
            changed[key] = given.strip()
    now = _condition(changed, trigger_type, row.path)
    if now.control == "nothing":
        changed.pop("value", None)
        return changed
    text = posted.get(f"{row.path}.value")
    if text is None:
        return changed if "value" in changed else {**changed, "value": ""}
    text = text.replace("\r\n", "\n")
    is_untouched = text == row.text and now.control == row.control and now.event_field == row.event_field
    return changed if is_untouched else {**changed, "value": _read(text, now)}


def _read(text: str, row: Row) -> Any:
    kind = row.event_field.kind if row.event_field is not None else None
    if row.control == "lines":
        return [_read_scalar(line, kind) for line in text.split("\n") if line.strip()]
    return text if row.control == "address_list" else _read_scalar(text, kind)


def _read_scalar(text: str, kind: FieldKind | None) -> Any:
    if kind in _TEXTUAL:
        return text
    if kind == "integer":
        bare = text.strip()
        return int(bare) if _INTEGER.fullmatch(bare) else None if bare == "null" else bare
    return scalar_of(text)


def _shown(value: Any, control: Control, name: str, known: EventField | None) -> str:
    if control == "lines":
        items = value if isinstance(value, list) else [value]
        return "\n".join(_shown_scalar(item, name, known) for item in items)
    return _shown_scalar(value, name, known)


def _shown_scalar(value: Any, name: str, known: EventField | None) -> str:
    if isinstance(value, str):
        is_plain = known is not None and not known.open
        return value if is_plain else scalar_text(value)
    if name in LAMPORT_FIELDS and isinstance(value, int) and not isinstance(value, bool):
        return f"{'-' if value < 0 else ''}{in_sol(abs(value))} SOL"
    return json.dumps(value, ensure_ascii=False)


def members_at(document: Any, path: str) -> list[Any]:
    """The members of the group whose list is there; raises `NoSuchPlace` when there is no such list."""
    members = value_at(document, path)
    if not isinstance(members, list):
        raise NoSuchPlace(path)
    return members
