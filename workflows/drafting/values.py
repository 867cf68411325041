"""A field's value as the text of its control, and that text as a value again. Pure.

Reading never refuses: what makes no value of the field's kind stays the text that was typed, and the spec says what is
wrong with it. A control that still shows what the document holds leaves it alone, however it is written there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from chain.types import LAMPORTS_PER_SOL
from workflows.drafting.fields import Field, Kind

UNITS: Mapping[Kind, tuple[str, ...]] = {"lamports": ("SOL", "lamports"), "tokens": ("tokens", "base units")}
# Names beside a field's own; "/" is in no path.
UNIT = "/unit"

_NUMERAL = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,255})?", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,39}", re.ASCII)
_WITH_UNIT = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,255})?) ?(sol|lamports?)", re.IGNORECASE | re.ASCII)


class Posted(Protocol):
    """What a form sends; Django's QueryDict is one."""

    def __contains__(self, name: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def get(self, name: str, /) -> str | None: ...
    def getlist(self, name: str, /) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What a control shows: its text, the unit chosen beside it, and for lists of choices those that are ticked."""

    text: str = ""
    unit: str = ""
    ticked: tuple[str, ...] = ()


def shown(field: Field, value: Any) -> Shown:
    """The control of a value; None shows the default of a choice, a switch or a list of choices, and else nothing."""
    value = field.default if value is None else value
    match field.kind:
        case "switch":
            return Shown(ticked=("on",) if value is True else ())
        case "choices":
            return Shown(ticked=tuple(map(str, value)) if isinstance(value, list | tuple) else ())
        case "lamports":
            return _lamports(value)
        case "tokens":
            return _tokens(value)
        case "addresses" if isinstance(value, list | tuple):
            return Shown("\n".join(map(_text, value)))
        case "json":
            return Shown("" if value in (None, (), "") else _json(value))
        case _:
            return Shown(_text(value))


def read(field: Field, posted: Posted, name: str, current: Any) -> Any:
    """The value that was posted under `name`; `current` where the control was not posted, or shows just that.

    None stands for a key that is left out.
    """
    if name not in posted:
        return read_keys(posted, name, current) if field.kind == "json" else current
    if field.kind == "switch":
        is_on = "on" in posted.getlist(name)
        return current if current is None and is_on == field.default else is_on
    if field.kind == "choices":
        return [one for one in posted.getlist(name) if one]
    text = (posted.get(name) or "").replace("\r\n", "\n")
    text = text if field.kind == "text" else text.strip()
    before = shown(field, current)
    if text == before.text and (posted.get(name + UNIT) or before.unit) == before.unit:
        return current
    if not text:
        return field.start if field.required else None
    return _value(field.kind, text, posted.get(name + UNIT) or "")


def _value(kind: Kind, text: str, unit: str) -> Any:
    match kind:
        case "lamports":
            return f"{text} {unit}" if unit and _NUMERAL.fullmatch(text) else text
        case "tokens":
            return int(text) if unit == "base units" and _INTEGER.fullmatch(text) else text
        case "number":
            return int(text) if _INTEGER.fullmatch(text) else text
        case "addresses":
            return text.replace(",", " ").split()
        case "json":
            return scalar_of(text)
        case _:
            return text


def read_keys(posted: Posted, name: str, current: Any) -> Any:
    """An object of which each key has a control of its own: posted as `name.key`, or where every text is right as
    `name.key/text`. An empty control leaves its key out; keys without a control stay."""
    held = dict(current) if isinstance(current, Mapping) else {}
    for posted_name in posted:
        if not posted_name.startswith(f"{name}."):
            continue
        key, _, kind = posted_name.removeprefix(f"{name}.").partition("/")
        text = (posted.get(posted_name) or "").strip()
        if not text:
            held.pop(key, None)
        elif key not in held or text != key_text(held[key], is_text=kind == "text"):
            held[key] = text if kind == "text" else scalar_of(text)
    return current if held == (current or {}) else held or None


def key_text(value: Any, *, is_text: bool) -> str:
    """What the control of such a key shows."""
    return "" if value is None else _text(value) if is_text else scalar_text(value)


def scalar_of(text: str) -> Any:
    """A JSON value where the text is one, else the text itself: `5`, `true`, `"5"` in quotes, `five`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def scalar_text(value: Any) -> str:
    """The text that `scalar_of` reads as this value."""
    if isinstance(value, str) and (value == "" or scalar_of(value) == value):
        return value
    return json.dumps(value, ensure_ascii=False)


def in_sol(lamports: int) -> str:
    """Lamports as people write SOL: exact, without an exponent, without zeros at the end."""
    sol = f"{Decimal(lamports) / LAMPORTS_PER_SOL:f}"
    return sol.rstrip("0").rstrip(".") if "." in sol else sol


def _lamports(value: Any) -> Shown:
    if isinstance(value, int) and not isinstance(value, bool):
        return Shown(in_sol(value), "SOL")
    found = _WITH_UNIT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return Shown(_text(value), "SOL")
    return Shown(found.group(1), "SOL" if found.group(2).lower() == "sol" else "lamports")


def _tokens(value: Any) -> Shown:
    is_units = isinstance(value, int) and not isinstance(value, bool)
    return Shown(_text(value), "base units" if is_units else "tokens")


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
