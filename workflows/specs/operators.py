"""The operators of conditions and what each takes as its value. Pure; what they mean is in `workflows.comparisons`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

from workflows.specs.fields import canonical_id
from workflows.specs.patterns import PatternError, compile_pattern

Operator = Literal[
    "eq", "ne", "gt", "gte", "lt", "lte",
    "contains", "not_contains", "starts_with", "ends_with", "regex",
    "in", "not_in", "in_list", "not_in_list", "exists", "changed",
]  # fmt: skip
OPERATORS: tuple[Operator, ...] = get_args(Operator)

Taken = Literal["scalar", "number", "text", "pattern", "list", "address_list", "nothing"]
TAKES: Mapping[Operator, Taken] = {
    "eq": "scalar",
    "ne": "scalar",
    "gt": "number",
    "gte": "number",
    "lt": "number",
    "lte": "number",
    "contains": "scalar",
    "not_contains": "scalar",
    "starts_with": "text",
    "ends_with": "text",
    "regex": "pattern",
    "in": "list",
    "not_in": "list",
    "in_list": "address_list",
    "not_in_list": "address_list",
    "exists": "nothing",
    "changed": "nothing",
}

MAX_LIST = 500
MAX_TEXT = 1024

_NUMERAL = re.compile(r"-?[0-9]{1,78}")


def is_numeral(text: str) -> bool:
    """Whether the text is an integer as events write those above 64 bits."""
    return _NUMERAL.fullmatch(text) is not None


def misfit(op: Operator, value: Any) -> str | None:
    """What the operator would take, in words, when the value is not that; None when it fits."""
    match TAKES[op]:
        case "scalar":
            return None if _is_scalar(value) else "text, a number, true, false or null"
        case "number":
            fits = _is_number(value) or (isinstance(value, str) and is_numeral(value))
            return None if fits else "a number"
        case "text":
            fits = isinstance(value, str) and 1 <= len(value) <= MAX_TEXT
            return None if fits else f"text of 1 to {MAX_TEXT} characters"
        case "pattern":
            return _pattern_misfit(value)
        case "list":
            fits = isinstance(value, tuple) and 1 <= len(value) <= MAX_LIST and all(map(_is_scalar, value))
            return None if fits else f"a list of 1 to {MAX_LIST} texts, numbers, true, false or null"
        case "address_list":
            fits = isinstance(value, str) and canonical_id(value) is not None
            return None if fits else "the id of an address list, a UUID,"
        case "nothing":
            return None if value is None or value is True else "left out"


def _pattern_misfit(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return "a regular expression"
    try:
        compile_pattern(value)
    except PatternError as error:
        return f"a usable regular expression in RE2 syntax ({error})"
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= MAX_TEXT)
