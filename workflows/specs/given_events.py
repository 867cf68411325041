"""Fields of an event that a person wrote: whether a real one could have them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workflows.specs.errors import SpecError
from workflows.specs.event_fields import EVENT_FIELDS, FieldKind


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


_IS: Mapping[FieldKind, tuple[str, Callable[[Any], bool]]] = {
    # bool is an int in Python, and no number here.
    "integer": ("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "text": ("text", _is_text),
    "address": ("an address", _is_text),
    "signature": ("a signature", _is_text),
    "base64": ("base64 text", _is_text),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "list": ("a list", lambda value: isinstance(value, list)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "any": ("anything", lambda value: True),
}


def event_problems(trigger_type: str, given: Mapping[str, Any]) -> list[SpecError]:
    """Each field that events of this trigger do not have, or not with such a value; paths begin with `event`."""
    known = {field.path.removeprefix("event."): field for field in EVENT_FIELDS[trigger_type]}
    found = []
    for name, value in given.items():
        path = f"event.{name[:100]}"
        field = known.get(name)
        if field is None:
            fields = ", ".join(sorted(known))
            found.append(SpecError(path, "unknown_key", f"{path}: {trigger_type} events have {fields}."))
        elif value is None:
            if not field.nullable:
                found.append(SpecError(path, "invalid", f"{path}: must not be null."))
        elif not _IS[field.kind][1](value):
            found.append(SpecError(path, "invalid", f"{path}: must be {_IS[field.kind][0]}."))
    return found
