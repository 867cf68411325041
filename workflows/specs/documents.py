"""From JSON text, or plain values, to a document that is safe to look at: bounded, finite, storable, without secrets.

Everything that is wrong is found in one pass with its path. What comes out is new dicts and lists of plain values, in
which a refused value is replaced by an empty one, so that no later check can quote it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from workflows.specs.errors import SpecError, SpecErrors
from workflows.specs.secret_scan import secret_in_numbers, secret_in_text
from workflows.specs.texts import spec_error

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_ERRORS = 100
INTEGER_MAX = 2**128

_MAX_NUMERAL = 40
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class _Pairs(dict[str, Any]):
    """An object as it was written, with the keys that it had twice."""

    repeated: tuple[str, ...] = ()


class _HugeNumber:
    """A numeral too long to be worth converting."""


def load(document: Mapping[str, Any] | str | bytes) -> tuple[dict[str, Any], list[SpecError]]:
    """The document's plain values, and every problem that needs no schema to be seen.

    Raises `SpecErrors` only for what cannot be looked at: no JSON, no object, above 64 KiB, nested too deep.
    """
    value = _decoded(document) if isinstance(document, str | bytes) else document
    if not isinstance(value, Mapping):
        raise SpecErrors([spec_error("", "dict_type")])
    reader = _Reader()
    return reader.read_object(value, "", 0), reader.errors


def child_path(path: str, key: str | int) -> str:
    """`actions` and 0 make `actions[0]`; `trigger` and `address` make `trigger.address`. Odd keys are quoted safely."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN_KEY.fullmatch(key) or secret_in_text(key):
        readable = "".join(character if character.isprintable() else "�" for character in key[:32])
        key = "(hidden)" if secret_in_text(key) else json.dumps(readable, ensure_ascii=False)
    return f"{path}.{key}" if path else key


def _decoded(document: str | bytes) -> Any:
    if len(document) > MAX_BYTES:
        raise SpecErrors([spec_error("", "too_large", limit="64 KiB")])
    try:
        text = document.decode() if isinstance(document, bytes) else document
        return json.loads(text, object_pairs_hook=_pairs, parse_int=_integer)
    except UnicodeDecodeError:
        problem = spec_error("", "invalid_json", why="it is not UTF-8")
    except json.JSONDecodeError as error:
        why = f"{error.msg} at line {error.lineno}, column {error.colno}"
        problem = spec_error("", "invalid_json", why=why)
    except RecursionError:
        problem = spec_error("", "too_deep", limit=MAX_DEPTH)
    # Outside of the handlers: their exceptions hold the whole document, and a report of errors would carry it along.
    raise SpecErrors([problem])


def _pairs(items: list[tuple[str, Any]]) -> _Pairs:
    pairs = _Pairs(items)
    if len(pairs) < len(items):
        pairs.repeated = tuple(key for key, times in Counter(key for key, _ in items).items() if times > 1)
    return pairs


def _integer(numeral: str) -> int | _HugeNumber:
    return int(numeral) if len(numeral) <= _MAX_NUMERAL else _HugeNumber()


class _Reader:
    """One pass over the values, collecting problems by path and counting what the document would weigh."""

    def __init__(self) -> None:
        self.errors: list[SpecError] = []
        self._weight = 0

    def read_object(self, value: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
        for key in getattr(value, "repeated", ()):
            self._add(child_path(path, key), "duplicate_key")
        plain: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                self._add(path, "not_json")
                continue
            here = child_path(path, key)
            if self._text(key, here) == key:
                plain[key] = self._read(item, here, depth + 1)
        return plain

    def _read(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value, path)
        self._weigh(1)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return self._number(value, path)
        if isinstance(value, Mapping | list | tuple):
            if depth >= MAX_DEPTH:
                raise SpecErrors([spec_error(path, "too_deep", limit=MAX_DEPTH)])
            if isinstance(value, Mapping):
                return self.read_object(value, path, depth)
            return self._list(value, path, depth)
        self._add(path, "number_too_large" if isinstance(value, _HugeNumber) else "not_json")
        return None

    def _list(self, value: list[Any] | tuple[Any, ...], path: str, depth: int) -> list[Any]:
        if (secret := secret_in_numbers(value)) is not None:
            self._add(path, "secret", what=secret[0], instead=secret[1])
            return []
        return [self._read(item, child_path(path, index), depth + 1) for index, item in enumerate(value)]

    def _text(self, value: str, path: str) -> str:
        self._weigh(1 + len(value))
        if _UNSTORABLE.search(value):
            self._add(path, "bad_text")
            return ""
        if (secret := secret_in_text(value)) is not None:
            self._add(path, "secret", what=secret[0], instead=secret[1])
            return ""
        return value

    def _number(self, value: int | float, path: str) -> int | float:
        if isinstance(value, float) and not math.isfinite(value):
            self._add(path, "not_finite")
            return 0
        if isinstance(value, int) and abs(value) > INTEGER_MAX:
            self._add(path, "number_too_large")
            return 0
        return value

    def _weigh(self, weight: int) -> None:
        # Plain values (a form, a database row) come without a text whose length could be asked.
        self._weight += weight
        if self._weight > MAX_BYTES:
            raise SpecErrors([spec_error("", "too_large", limit="64 KiB")])

    def _add(self, path: str, problem: str, **context: Any) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(spec_error(path, problem, **context))
