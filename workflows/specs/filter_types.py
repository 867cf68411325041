"""Conditions that could never be true, because the trigger's field has another type: said when saved. Pure.

Only fields that are known beforehand are judged. A field that is missing is no mistake (it makes a condition false),
and what lies below `event.data` or `event.body` is known to the event alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from workflows.specs.conditions import PlacedCondition
from workflows.specs.errors import SpecError
from workflows.specs.event_fields import EventField, FieldKind, field_named
from workflows.specs.operators import OPERATORS, Operator, is_numeral
from workflows.specs.texts import spec_error
from workflows.specs.triggers import Trigger

_ORDER = frozenset({"gt", "gte", "lt", "lte"})
_TEXT = frozenset({"contains", "not_contains", "starts_with", "ends_with", "regex"})
_LISTED = frozenset({"in_list", "not_in_list"})

_REFUSED = {
    "integer": _TEXT | _LISTED,
    "boolean": _TEXT | _LISTED | _ORDER,
    "text": _ORDER,
    "address": _ORDER,
    "signature": _ORDER | _LISTED,
    "base64": _ORDER | _LISTED,
}
_WORDS: dict[FieldKind, str] = {
    "integer": "an integer",
    "boolean": "true or false",
    "text": "text",
    "address": "an address",
    "signature": "a signature",
    "base64": "text in base64",
}


def operators_for(kind: FieldKind) -> tuple[Operator, ...]:
    """The operators that may ask for a field of this kind."""
    refused = _REFUSED.get(kind, frozenset())
    return tuple(operator for operator in OPERATORS if operator not in refused)


def type_problems(trigger: Trigger, placed: Iterable[PlacedCondition]) -> Iterator[SpecError]:
    """A problem for each condition whose operator or value cannot go with its field."""
    for one in placed:
        condition = one.condition
        field = field_named(trigger.type, condition.field)
        if field is None or field.open:
            continue
        if condition.op in _REFUSED[field.kind]:
            words = _WORDS[field.kind]
            yield spec_error(f"{one.path}.op", "wrong_operator", condition.op, field=field.path, kind=words)
        elif field.kind == "integer":
            yield from _value_problems(field, condition.value, f"{one.path}.value")


def _value_problems(field: EventField, value: Any, path: str) -> Iterator[SpecError]:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _value_problems(field, item, f"{path}[{index}]")
    elif not (value is None or _is_integer(value)):
        yield spec_error(path, "wrong_value_type", value, field=field.path)


def _is_integer(value: Any) -> bool:
    if isinstance(value, str):
        return is_numeral(value)
    return isinstance(value, int) and not isinstance(value, bool)
