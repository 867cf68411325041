"""What JSON may hold where Borsh has a collection or a variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chain.decode.idl.scalars import Unfit


def items(value: Any) -> list[Any]:
    """The value, which must be a list. Raises Unfit."""
    if not isinstance(value, list):
        raise Unfit("a list", value)
    return value


def pairs(value: Any) -> list[tuple[Any, Any]]:
    """Keys with values, from an object or a list of pairs. Raises Unfit."""
    if isinstance(value, Mapping):
        return list(value.items())
    if not isinstance(value, list) or not all(isinstance(one, list) and len(one) == 2 for one in value):
        raise Unfit("an object, or a list of pairs", value)
    return [(one[0], one[1]) for one in value]


def variant(value: Any) -> tuple[str | None, Any]:
    """An enum's variant and its fields, from `"Name"` or `{"Name": fields}`; no name where it is neither."""
    if isinstance(value, str):
        return value, None
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, fields),) = value.items()
        return (name, fields) if isinstance(name, str) else (None, None)
    return None, None
