"""Regular expressions of users, by RE2: linear time whatever they and the texts are, with bounds on both. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol

import re2

MAX_PATTERN = 512
# Measured at these bounds: the slowest search found takes about 0.1 s; with capture groups it would be ten times that.
MAX_PROGRAM = 1_000
MAX_SUBJECT = 16_384  # Solana cuts the logs of a transaction at 10,000 bytes


# As somebody writes it who has a node's log before him.
_BEGINNING = re.compile(r"\A\^?Program (?:log|data): ")


class PatternError(ValueError):
    """The expression is not RE2 syntax, or too large."""


class Pattern(Protocol):
    """A compiled expression."""

    def search(self, text: str) -> object | None: ...


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Pattern:
    """Compiles, or raises `PatternError` with RE2's reason."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"it is longer than {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = 1 << 20
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not a regular expression"
        raise PatternError(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from None
    if compiled.programsize > MAX_PROGRAM:
        raise PatternError("it is too large; use fewer or smaller repetitions")
    found: Pattern = compiled
    return found


def compile_line_pattern(pattern: str) -> Pattern:
    """As `compile_pattern`, for lines that programs write. Nodes put `Program log: ` or `Program data: ` before them,
    which is no part of a line here; a pattern that begins with it means the beginning of the line."""
    return compile_pattern(_BEGINNING.sub("^", pattern))


def found_in(pattern: Pattern, text: str) -> bool:
    """Whether the pattern occurs in the first 16,384 characters of the text."""
    return pattern.search(text[:MAX_SUBJECT]) is not None
