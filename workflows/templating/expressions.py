"""The small language between `{{` and `}}`: integers, paths into the event, `+ - * // %`, `min`, `max`. Pure.

Templates and the strings that they read are hostile, so this is an own parser over plain JSON and not an engine that
can reach Python objects: a path is looked up in dicts and lists, nothing is ever called, every size has a bound.

    expression := term (("+" | "-") term)*
    term       := unary (("*" | "//" | "%") unary)*
    unary      := "-" unary | atom
    atom       := integer | string | path | ("min" | "max") "(" expression ("," expression)* ")" | "(" expression ")"
    path       := root ("." name | "." index | "[" index "]" | "[" string "]")*
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

from workflows.templating.values import (
    INTEGER_MAX,
    MAX_NUMERAL,
    Context,
    Evaluate,
    TemplateError,
    arithmetic,
    as_integer,
    lookup,
)

ROOTS = ("event", "workflow", "execution", "transaction")
MAX_DEPTH = 16
MAX_TOKENS = 256
MAX_STRING = 256
MAX_ARGUMENTS = 16

_TOKEN = re.compile(
    r"""\s*(?:(?P<int>[0-9]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<string>"[^"\n]*"|'[^'\n]*')"""
    r"""|(?P<op>}}|\*\*|//|[-+*/%(),.\[\]]))"""
)


class Expression:
    """A parsed expression: evaluated as often as wanted, knows which roots it reads."""

    __slots__ = ("_evaluate", "roots")

    def __init__(self, evaluate: Evaluate, roots: frozenset[str]) -> None:
        self._evaluate = evaluate
        self.roots = roots

    def value(self, context: Context) -> Any:
        """The plain JSON value; raises `UndefinedError` or `TemplateError`, nothing else."""
        return self._evaluate(context)

    def integer(self, context: Context) -> int:
        """The value as an exact integer (a decimal text counts); raises `TemplateError` for anything else."""
        return as_integer(self._evaluate(context))


def parse_expression(text: str, start: int) -> tuple[Expression, int]:
    """Parses from `start` (after the `{{`) to the closing `}}` and gives the position behind it."""
    parser = _Parser(text, start)
    evaluate = parser.expression(0)
    end = parser.close()
    return Expression(evaluate, frozenset(parser.roots)), end


class _Parser:
    """Recursive descent into closures. Depth and length are bounded here, so evaluation needs no bound of its own."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._end = start
        self._count = 0
        self.roots: set[str] = set()
        self._advance()

    def close(self) -> int:
        if self._value != "}}":
            self._fail(f"{self._shown()} is not expected here")
        return self._end

    def expression(self, depth: int) -> Evaluate:
        left = self._term(depth)
        while self._value in ("+", "-"):
            left = arithmetic(self._take(), left, self._term(depth))
        return left

    def _term(self, depth: int) -> Evaluate:
        left = self._unary(depth)
        while self._value in ("*", "//", "%", "/", "**"):
            operator = self._value
            if operator == "/":
                self._fail("/ makes fractions; use // (whole division), and multiply first: event.amount * 95 // 100")
            if operator == "**":
                self._fail("** is not available; use + - * // %")
            self._advance()
            left = arithmetic(operator, left, self._unary(depth))
        return left

    def _unary(self, depth: int) -> Evaluate:
        if depth > MAX_DEPTH:
            self._fail(f"the expression is nested more than {MAX_DEPTH} deep")
        if self._value == "-":
            self._advance()
            operand = self._unary(depth + 1)
            return lambda context: -as_integer(operand(context))
        return self._atom(depth)

    def _atom(self, depth: int) -> Evaluate:
        if self._kind == "int":
            return self._literal(self._integer())
        if self._kind == "string":
            return self._literal(self._string())
        if self._kind == "name":
            return self._call(depth) if self._value in ("min", "max") else self._path()
        if self._value == "(":
            self._advance()
            inner = self.expression(depth + 1)
            self._expect(")")
            return inner
        return self._fail(
            "an expression is missing" if self._value == "}}" else f"{self._shown()} is not expected here"
        )

    def _literal(self, value: int | str) -> Evaluate:
        if self._value == "." and isinstance(value, int):
            self._fail("numbers are whole here; write a share as event.amount * 95 // 100")
        return lambda context: value

    def _call(self, depth: int) -> Evaluate:
        choose: Callable[[list[int]], int] = min if self._take() == "min" else max
        self._expect("(")
        arguments = [self.expression(depth + 1)]
        while self._value == ",":
            self._advance()
            arguments.append(self.expression(depth + 1))
            if len(arguments) > MAX_ARGUMENTS:
                self._fail(f"min and max take at most {MAX_ARGUMENTS} values")
        self._expect(")")
        return lambda context: choose([as_integer(argument(context)) for argument in arguments])

    def _path(self) -> Evaluate:
        if self._value not in ROOTS:
            self._fail(f"{self._shown()} is not a known name; paths begin with {', '.join(ROOTS)}")
        root = self._take()
        self.roots.add(root)
        keys: list[str | int] = []
        while self._value in (".", "["):
            keys.append(self._key())
        if self._value == "(":
            self._fail("only min and max can be called")
        return lookup(root, tuple(keys))

    def _key(self) -> str | int:
        if self._take() == ".":
            if self._kind == "int":
                return self._integer()
            if self._kind != "name":
                self._fail("a field's name is missing after the dot")
            return self._take()
        if self._kind not in ("int", "string"):
            self._fail('between [ and ] stands an index or a "name"')
        key: str | int = self._integer() if self._kind == "int" else self._string()
        self._expect("]")
        return key

    def _integer(self) -> int:
        if len(self._value) > MAX_NUMERAL or int(self._value) > INTEGER_MAX:
            self._fail("the number is larger than 128 bits")
        return int(self._take())

    def _string(self) -> str:
        if len(self._value) > MAX_STRING:
            self._fail(f"the text is longer than {MAX_STRING} characters")
        return self._take()[1:-1]

    def _expect(self, op: str) -> None:
        if self._value != op:
            self._fail(f"{op} is missing")
        self._advance()

    def _take(self) -> str:
        value = self._value
        self._advance()
        return value

    def _advance(self) -> None:
        if self._count >= MAX_TOKENS:
            raise TemplateError(f"the expression has more than {MAX_TOKENS} parts", self._end)
        self._count += 1
        found = _TOKEN.match(self._text, self._end)
        if found is None:
            rest = self._text[self._end :].lstrip()
            reason = f"{rest[0]!r} is not allowed here" if rest else "}} is missing"
            raise TemplateError(reason, len(self._text) - len(rest))
        self._kind: str = found.lastgroup or ""
        self._value: str = found.group(self._kind)
        self._start = found.start(self._kind)
        self._end = found.end()

    def _shown(self) -> str:
        return self._value if len(self._value) <= 40 else self._value[:40] + "…"

    def _fail(self, reason: str) -> NoReturn:
        raise TemplateError(reason, self._start)
