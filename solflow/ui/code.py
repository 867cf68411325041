"""JSON as highlighted HTML, and where in a JSON text a path of the definition stands."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from pygments.lexers.data import JsonLexer
from pygments.token import STANDARD_TYPES, Name, Punctuation, Whitespace

from solflow.ui.text import short

_BASE58_KEY = re.compile(r'^"([1-9A-HJ-NP-Za-km-z]{32,88})"$')
_PATH_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")

# Colouring a megabyte takes 4 s and makes six of it.
MAX_HIGHLIGHTED = 100_000

PathPart = str | int


def pretty_json(value: Any) -> str:
    """JSON with two spaces of indent.

    Control and format characters stay visible as \\uXXXX: in raw form they could reorder what is read.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
    return "".join(json.dumps(c)[1:-1] if _is_invisible(c) else c for c in text)


def _is_invisible(character: str) -> bool:
    return character != "\n" and unicodedata.category(character) in {"Cc", "Cf"}


def highlight_json(value: Any) -> SafeString:
    """The spans for `.code`: Pygments' token classes, addresses and signatures shortened with the whole in `title`.

    What is very long (an account's data, a webhook's body) comes as plain text.
    """
    text = pretty_json(value)
    if len(text) > MAX_HIGHLIGHTED:
        return escape(text)
    tokens = JsonLexer(ensurenl=False).get_tokens(text)
    return mark_safe("".join(_span(kind, text) for kind, text in tokens))  # noqa: S308


def _span(kind: Any, text: str) -> str:
    css = STANDARD_TYPES.get(kind, "")
    if not css or kind in Whitespace:
        return escape(text)
    if key := _BASE58_KEY.match(text):
        return format_html('<span class="{}" title="{}">&quot;{}&quot;</span>', css, key[1], short(key[1], 8))
    return format_html('<span class="{}">{}</span>', css, text)


@dataclass(frozen=True)
class Problem:
    """Something wrong in a definition; `line` counts from 1 and is 0 where the text has no such place."""

    line: int
    path: str
    detail: str


def problems_with_lines(errors: Iterable[Any], source: str) -> list[Problem]:
    """The errors (`path`, `detail`) with the line each stands on, in reading order."""
    positions = _positions(source)
    problems = [Problem(_line_of(positions, source, error.path), error.path, error.detail) for error in errors]
    return sorted(problems, key=lambda problem: problem.line)


def _line_of(positions: dict[tuple[PathPart, ...], int], source: str, path: str) -> int:
    """The line of the path, or of its nearest parent: what is missing has no line of its own. "" is the whole text:
    where it stops being JSON."""
    if not path:
        return _broken_line(source)
    parts = tuple(int(index) if index else name for index, name in _PATH_PART.findall(path))
    for length in range(len(parts), 0, -1):
        if parts[:length] in positions:
            return source.count("\n", 0, positions[parts[:length]]) + 1
    return 0


def _broken_line(source: str) -> int:
    try:
        json.loads(source)
    except json.JSONDecodeError as error:
        return error.lineno
    except (ValueError, RecursionError):
        return 0
    return 0


def _positions(source: str) -> dict[tuple[PathPart, ...], int]:
    """The offset of every key and array element, by path; broken JSON gives what was readable before the break."""
    found: dict[tuple[PathPart, ...], int] = {}
    path: list[PathPart] = []

    def element(offset: int) -> None:
        if path and isinstance(path[-1], int):
            found.setdefault(tuple(path), offset)

    for offset, kind, text in JsonLexer().get_tokens_unprocessed(source):
        if kind is Name.Tag:
            if path:
                path[-1] = _key(text)
                found.setdefault(tuple(path), offset)
        elif kind is Punctuation:
            for at, character in enumerate(text, offset):
                if character in "{[":
                    element(at)
                    path.append("" if character == "{" else 0)
                elif character in "}]" and path:
                    path.pop()
                elif character == "," and path and isinstance(path[-1], int):
                    path[-1] += 1
        elif kind not in Whitespace:
            element(offset)
    return found


def _key(text: str) -> str:
    """The key that a token of the text means; one that is no JSON string stands for itself, and no path leads to it."""
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        return text
