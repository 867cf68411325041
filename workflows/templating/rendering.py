"""Texts with `{{ … }}`: split once, checked when they are saved, rendered for one event. Pure and bounded.

Three ways to render, because a missing value means different things:
    render         a message to people: what is missing or has no value is "n/a", the text is cut at 4,096 characters
    render_exact   a text that goes on chain: what is missing is an error
    render_amount  money: one expression, an exact integer above zero, in base units

Text that comes from events loses its control, bidirectional and invisible characters, and its line breaks become
spaces: whoever writes a program's log must not be able to forge a line of a message, or to turn it around.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from workflows.templating.expressions import ROOTS, Expression, parse_expression
from workflows.templating.values import Context, TemplateError

MAX_TEMPLATE = 4096
MAX_OUTPUT = 4096
MAX_EXPRESSIONS = 64
MAX_AMOUNT = 2**64 - 1
MISSING_TEXT = "n/a"

# Control, format (bidirectional and zero-width among them) and surrogate characters.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})
_LINE_BREAKS = frozenset("\n\r\t\v\f\x1c\x1d\x1e\x85\u2028\u2029")


@dataclass(frozen=True, slots=True)
class _Template:
    """Literal texts and expressions in their order."""

    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> list[Expression]:
        return [part for part in self.parts if isinstance(part, Expression)]


def is_template(text: str) -> bool:
    """Whether the text has anything to render. A literal `{{` is written `{{ "{{" }}`."""
    return "{{" in text


def check(text: str, roots: Iterable[str] = ROOTS) -> None:
    """Raises `TemplateError` unless the template is well formed and reads only `roots`, which exist where it stands."""
    allowed = frozenset(roots)
    for expression in _parse(text).expressions:
        _check_roots(expression, allowed)


def check_amount(text: str, roots: Iterable[str] = ROOTS) -> None:
    """As `check`, for money: the whole text is one expression; one without paths must have a value above zero."""
    expression = _single(text)
    _check_roots(expression, frozenset(roots))
    if not expression.roots:
        _amount(expression, {})


def render(text: str, context: Context, *, escape: Callable[[str], str] = str) -> str:
    """A message for people. What has no value reads "n/a"; raises `TemplateError` only for a malformed template.

    `escape` is applied to each value, not to the text around it: that is how the message's own markup stays the user's.
    """
    pieces = [part if isinstance(part, str) else escape(_told(part, context)) for part in _parse(text).parts]
    rendered = "".join(pieces)
    return rendered if len(rendered) <= MAX_OUTPUT else rendered[: MAX_OUTPUT - 1] + "…"


def render_exact(text: str, context: Context) -> str:
    """A text that acts (an address, a memo, an argument). Raises `TemplateError` for a missing value, or too long."""
    pieces = [part if isinstance(part, str) else _shown(part.value(context)) for part in _parse(text).parts]
    rendered = "".join(pieces)
    if len(rendered) > MAX_OUTPUT:
        raise TemplateError(f"the rendered text is longer than {MAX_OUTPUT} characters")
    return rendered


def render_amount(text: str, context: Context) -> int:
    """Base units, from 1 to 2**64 - 1. Raises `TemplateError` for anything else, a missing value included."""
    return _amount(_single(text), context)


@lru_cache(maxsize=1024)
def _parse(text: str) -> _Template:
    if len(text) > MAX_TEMPLATE:
        raise TemplateError(f"the text is longer than {MAX_TEMPLATE} characters")
    parts: list[str | Expression] = []
    position = count = 0
    while (opening := text.find("{{", position)) >= 0:
        if opening > position:
            parts.append(text[position:opening])
        expression, position = parse_expression(text, opening + 2)
        parts.append(expression)
        count += 1
        if count > MAX_EXPRESSIONS:
            raise TemplateError(f"the text has more than {MAX_EXPRESSIONS} expressions", opening)
    if position < len(text):
        parts.append(text[position:])
    return _Template(tuple(parts))


def _single(text: str) -> Expression:
    parts = _parse(text.strip()).parts
    if len(parts) != 1 or not isinstance(parts[0], Expression):
        raise TemplateError("an amount is one expression: {{ … }} with nothing around it")
    return parts[0]


def _amount(expression: Expression, context: Context) -> int:
    amount = expression.integer(context)
    if amount <= 0:
        raise TemplateError(f"the amount is {amount}, and must be above zero")
    if amount > MAX_AMOUNT:
        raise TemplateError("the amount is larger than 64 bits")
    return amount


def _check_roots(expression: Expression, allowed: frozenset[str]) -> None:
    unknown = sorted(expression.roots - allowed)
    if unknown:
        raise TemplateError(f"{unknown[0]} does not exist yet at this place; known: {', '.join(sorted(allowed))}")


def _told(expression: Expression, context: Context) -> str:
    try:
        return _shown(expression.value(context))
    except TemplateError:
        # Someone waits for this message: a field that this event lacks must not swallow the rest of it.
        return MISSING_TEXT


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _visible(value)
    try:
        return _visible(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError) as error:
        raise TemplateError("a value cannot be shown") from error


def _visible(text: str) -> str:
    # One more than fits, so that what is cut can be seen to be cut, without looking at megabytes of account data.
    spaced = (" " if character in _LINE_BREAKS else character for character in text[: MAX_OUTPUT + 1])
    return "".join(character for character in spaced if unicodedata.category(character) not in _INVISIBLE)
