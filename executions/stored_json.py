"""JSON that PostgreSQL stores: what a program logs may hold a NUL, which jsonb refuses, and one refused row would take
its whole batch with it."""

from __future__ import annotations

import re
from typing import Any

import orjson

# An even number of backslashes before it makes it an escape of our own; an odd one, text that somebody wrote.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def dumps(value: Any) -> str:
    """`value` as JSON text, NUL characters as U+FFFD."""
    text = orjson.dumps(value).decode()
    return _NUL.sub(r"\1\\ufffd", text) if "\\u0000" in text else text


def clean(text: str) -> str:
    """`text` without NUL characters, for a text column."""
    return text.replace("\x00", "\ufffd")
