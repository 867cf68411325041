"""What a serializer finds wrong, in the words of the rest of the API: field, value, and what is allowed.

DRF's own sentences name neither. The codes stay DRF's, as `/api/docs/` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

_SHOWN_CHARACTERS = 60
_OF_A_KIND: tuple[tuple[type[serializers.Field], str], ...] = (
    (serializers.CharField, "must be text"),
    (serializers.IntegerField, "must be a whole number"),
    (serializers.BooleanField, "must be true or false"),
    (serializers.UUIDField, "must be an id, a UUID"),
    (serializers.BaseSerializer, "must be an object"),
)
_SENTENCES = {
    "required": "is missing",
    "null": "must not be null",
    "blank": "must not be blank",
    "max_length": "must have at most {field.max_length} {unit}",
    "max_string_length": "must have at most {field.MAX_STRING_LENGTH} digits",
    "max_value": "must be {field.max_value} or less",
    "min_value": "must be {field.min_value} or more",
    "not_a_dict": "must be an object",
    "not_a_list": "must be a list",
}


def worded(details: Mapping[str, Any], fields: Mapping[str, serializers.Field], data: Mapping[str, Any]) -> Any:
    """The details of one serializer's ValidationError, by field. What our own validators said stays as it is."""
    return {
        name: _of_field(name, found, fields[name], data.get(name)) if name in fields else found
        for name, found in details.items()
    }


def not_an_object(data: Any) -> ErrorDetail:
    """For a serializer that got something else."""
    return ErrorDetail(f"must be an object, not {_quoted(data) or 'a list'}", code="invalid")


def _of_field(name: str, found: Any, field: serializers.Field, value: Any) -> Any:
    if isinstance(found, Mapping):
        # What a list or an object as a whole gets wrong; what is in it was worded by its own serializer.
        return {
            key: _of_field(name, inner, field, value) if key == "non_field_errors" else inner
            for key, inner in found.items()
        }
    if not isinstance(found, list):
        return found
    return [_sentence(name, one, field, value) if isinstance(one, ErrorDetail) else one for one in found]


def _sentence(name: str, said: ErrorDetail, field: serializers.Field, value: Any) -> ErrorDetail:
    if said.code == "invalid_choice" and isinstance(field, serializers.ChoiceField):
        what = f"must be one of: {', '.join(str(choice) for choice in field.choices)}"
    elif said.code == "invalid" and said == str(field.error_messages.get("invalid", "")):
        what = next((words for kind, words in _OF_A_KIND if isinstance(field, kind)), "")
    else:
        unit = "characters" if isinstance(field, serializers.CharField) else "entries"
        what = _SENTENCES.get(str(said.code), "").format(field=field, unit=unit)
    if not what:
        return said
    # Text may be a secret where text is asked for, but not where one of a few words is.
    quoted = _quoted(value) if isinstance(field, serializers.ChoiceField) or not isinstance(value, str) else ""
    return ErrorDetail(f"{name}{f' ({quoted})' if quoted else ''} {what}.", code=said.code)


def _quoted(value: Any) -> str:
    """A scalar as JSON writes it; "" for the rest."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)[:_SHOWN_CHARACTERS]
    if isinstance(value, str):
        shown = "".join(character if character.isprintable() else "�" for character in value[:_SHOWN_CHARACTERS])
        return f'"{shown}{"…" if len(value) > _SHOWN_CHARACTERS else ""}"'
    return ""
