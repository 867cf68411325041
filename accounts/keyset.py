"""Positions in long lists. A cursor names a row by what the list is ordered by, so that a page costs the same anywhere.

A cursor stays valid when rows come and go, that row included.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)

NEWEST_FIRST = ("created_at", "id")
MAX_CURSOR = 200


class BadCursor(ValueError):
    """Not a cursor of this list."""


def older_page(
    rows: QuerySet[Row], cursor: str | None, *, size: int, keys: Sequence[str] = NEWEST_FIRST
) -> tuple[list[Row], str | None]:
    """Up to `size` rows from the cursor on, newest first, and the cursor of the next page; None at the end.

    Raises:
        BadCursor: see there.
    """
    rows = rows.order_by(*(f"-{key}" for key in keys))
    if cursor:
        forward, position = read(cursor, rows.model, keys)
        rows = rows.filter(beyond(keys, position, forward))
    found = list(rows[: size + 1])
    return found[:size], write(found[size - 1], keys) if len(found) > size else None


def beyond(keys: Sequence[str], position: Sequence[Any], forward: bool) -> Q:
    """The rows after `position`. The first condition is implied by the second, and is what an index can begin at."""
    than = "lt" if forward else "gt"
    after, equal = Q(), Q()
    for key, value in zip(keys, position, strict=True):
        after |= equal & Q(**{f"{key}__{than}": value})
        equal &= Q(**{key: value})
    return Q(**{f"{keys[0]}__{than}e": position[0]}) & after


def write(row: Model, keys: Sequence[str], forward: bool = True) -> str:
    """The cursor of a row, towards older rows or (`forward` False) newer ones."""
    values = [getattr(row, key) for key in keys]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps([forward, *plain], default=str).encode()).decode().rstrip("=")


def read(text: str, model: type[Model], keys: Sequence[str]) -> tuple[bool, list[Any]]:
    """Direction and position of a cursor.

    Raises:
        BadCursor: see there.
    """
    try:
        if len(text) > MAX_CURSOR:
            raise BadCursor("too long")
        forward, *values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if type(forward) is not bool:
            raise BadCursor("no direction")
        fields = [model._meta.get_field(key) for key in keys]
        return forward, [_value(field, value) for field, value in zip(fields, values, strict=True)]
    except (ValueError, TypeError, RecursionError, ValidationError) as error:
        raise BadCursor(str(error)) from None


def _value(field: Any, text: Any) -> Any:
    value = field.to_python(text)
    if value is None:
        raise BadCursor("no position")
    return value
