"""Strict JSON that PostgreSQL can keep: nothing infinite, no NaN, no key twice, no NUL or half surrogate pair. Pure."""

from __future__ import annotations

import json
import math
from typing import Any


class NotStorable(ValueError):
    """The text is not such JSON. The message says why and quotes nothing of it: that may be a secret."""


def loads(raw: bytes) -> Any:
    """The value that the text is.

    Raises:
        NotStorable: see there.
    """
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
        if "\\u" in text and not _storable(value):
            raise NotStorable("text with NUL or half a surrogate pair cannot be stored")
        return value
    except NotStorable:
        raise
    except json.JSONDecodeError as error:
        why = f"it cannot be parsed at line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    except (ValueError, RecursionError):
        why = "it cannot be parsed"
    # Outside of the handlers: their exceptions hold the whole text, and a report of errors would carry it along.
    raise NotStorable(why)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotStorable("an object has the same key twice")
    return found


def _float(numeral: str) -> float:
    value = float(numeral)
    if not math.isfinite(value):
        raise NotStorable("a number is too large")
    return value


def _constant(name: str) -> Any:
    raise NotStorable(f"{name} is not JSON")


def _storable(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(_storable(key) and _storable(inner) for key, inner in value.items())
    return not isinstance(value, list) or all(map(_storable, value))
