"""What the operators of a filter mean, value by value. Pure, exact, never an exception.

- Numbers compare as numbers: integers exactly at any width, and a decimal text (as events write integers above 64 bits)
  as the integer when the other side is a number. true and false are not numbers. Two texts compare as texts.
- null is a value: it equals null and nothing else.
- Values of different kinds are different (`eq` false, `ne` true); to ask for their order, or for text inside something
  that is no text, is false, in the negated operators too.
- What is missing never gets here: the caller says false.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from workflows.specs.operators import Operator, is_numeral
from workflows.specs.patterns import compile_pattern, found_in

Judge = Callable[[Any], bool]


def judge_for(op: Operator, value: Any) -> Judge:
    """The question that a condition asks of what it saw, prepared once; for operators that need no more than that."""
    return _JUDGES[op](value)


def equal(seen: Any, value: Any) -> bool:
    """Equality as filters mean it; also what `changed` asks."""
    if isinstance(seen, bool) or isinstance(value, bool):
        return seen is value
    if isinstance(seen, int | float):
        number = as_number(value)
        return number is not None and bool(seen == number)
    if isinstance(value, int | float):
        number = as_number(seen)
        return number is not None and bool(number == value)
    return type(seen) is type(value) and bool(seen == value)


def as_number(value: Any) -> int | float | None:
    """The number that a value is, or writes as decimal digits; None otherwise. Never text through float."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    return int(value) if isinstance(value, str) and is_numeral(value) else None


def _equals(value: Any) -> Judge:
    return lambda seen: equal(seen, value)


def _differs(value: Any) -> Judge:
    return lambda seen: not equal(seen, value)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Judge]:
    def with_value(value: Any) -> Judge:
        bound = as_number(value)
        if bound is None:
            return lambda seen: False

        def judge(seen: Any) -> bool:
            if type(seen) is int:
                return bool(compare(seen, bound))
            number = as_number(seen)
            return number is not None and bool(compare(number, bound))

        return judge

    return with_value


def _holds(seen: Any, value: Any) -> bool | None:
    """Whether a text or a list holds the value; None when it is neither."""
    if isinstance(seen, str):
        return isinstance(value, str) and value in seen
    if isinstance(seen, list):
        return any(equal(item, value) for item in seen)
    return None


def _contains(value: Any) -> Judge:
    return lambda seen: _holds(seen, value) is True


def _contains_not(value: Any) -> Judge:
    return lambda seen: _holds(seen, value) is False


def _starts_with(value: str) -> Judge:
    return lambda seen: isinstance(seen, str) and seen.startswith(value)


def _ends_with(value: str) -> Judge:
    return lambda seen: isinstance(seen, str) and seen.endswith(value)


def _matches(value: str) -> Judge:
    pattern = compile_pattern(value)
    return lambda seen: isinstance(seen, str) and found_in(pattern, seen)


def _among(values: tuple[Any, ...]) -> Judge:
    return lambda seen: any(equal(seen, value) for value in values)


def _not_among(values: tuple[Any, ...]) -> Judge:
    return lambda seen: not any(equal(seen, value) for value in values)


_JUDGES: Mapping[Operator, Callable[[Any], Judge]] = {
    "eq": _equals,
    "ne": _differs,
    "gt": _ordered(operator.gt),
    "gte": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "lte": _ordered(operator.le),
    "contains": _contains,
    "not_contains": _contains_not,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "regex": _matches,
    "in": _among,
    "not_in": _not_among,
}
