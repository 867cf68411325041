"""What expressions are made of when they are evaluated: lookups and exact integers, as closures. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

INTEGER_MAX = 2**128 - 1
MAX_NUMERAL = 39  # digits of 2**128

Context = Mapping[str, Any]
Evaluate = Callable[[Context], Any]

_NUMERAL = re.compile(rf"-?[0-9]{{1,{MAX_NUMERAL}}}")


class TemplateError(ValueError):
    """A template that is wrong (`position`: character in the template, from 0) or has no value for this event."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason if position is None else f"{reason} (at character {position})")
        self.reason = reason
        self.position = position


class UndefinedError(TemplateError):
    """The path leads nowhere in this event, or to null."""


def as_integer(value: Any) -> int:
    """Integers above 64 bits travel as decimal text in events, so both are integers here; floats and booleans never."""
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > INTEGER_MAX:
            raise TemplateError("an integer is larger than 128 bits")
        return value
    if isinstance(value, str) and _NUMERAL.fullmatch(value):
        return int(value)
    raise TemplateError(f"{_kind(value)} is used where an integer is needed")


def lookup(root: str, keys: tuple[str | int, ...]) -> Evaluate:
    """The value at a path; what is not there, or null, raises `UndefinedError`. Only dicts and lists are entered."""
    shown = ".".join([root, *(str(key) for key in keys)])

    def evaluate(context: Context) -> Any:
        value: Any = context.get(root)
        for key in keys:
            if isinstance(value, dict):
                value = value.get(str(key))
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                raise UndefinedError(f"{shown} is not there")
        if value is None:
            raise UndefinedError(f"{shown} is not there")
        return value

    return evaluate


def arithmetic(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    """The operator applied to two integers; a result above 128 bits raises `TemplateError`."""
    apply = _OPERATORS[operator]

    def evaluate(context: Context) -> int:
        result = apply(as_integer(left(context)), as_integer(right(context)))
        if abs(result) > INTEGER_MAX:
            raise TemplateError("a result is larger than 128 bits")
        return result

    return evaluate


def _divide(left: int, right: int) -> int:
    if right == 0:
        raise TemplateError("division by zero")
    return left // right


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise TemplateError("division by zero")
    return left % right


_OPERATORS: Mapping[str, Callable[[int, int], int]] = {
    "+": int.__add__,
    "-": int.__sub__,
    "*": int.__mul__,
    "//": _divide,
    "%": _remainder,
}


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a yes/no value"
    if isinstance(value, float):
        return "a fraction"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "an object"
