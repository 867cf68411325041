"""Program logs as rows: how deep the writing program was invoked, and what the runtime said about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from solflow.ui.text import plain

_INVOKE = re.compile(r"^Program \S+ invoke \[(\d+)\]$")
_RETURN = re.compile(r"^Program \S+ (success|failed)\b")
_METER = re.compile(r"^Program \S+ consumed \d+ of \d+ compute units$")
_ERROR = re.compile(r"^Program log: (AnchorError|Error|panicked)\b")
_DEEPEST_STYLE = 5


class LogRow(NamedTuple):
    depth: int
    css: str
    text: str


def log_rows(lines: Iterable[str]) -> list[LogRow]:
    """Rows for the runtime's own lines (`inv`, `suc`, `err`, `dim`) and the programs' (no class), each at its depth.

    Programs choose what follows `Program log: `, so such a line never counts as an invocation or a return.
    """
    rows: list[LogRow] = []
    depth = 0
    for line in lines:
        text = plain(line)
        if invoked := _INVOKE.match(text):
            depth = int(invoked[1])
            rows.append(LogRow(min(depth, _DEEPEST_STYLE), "inv", text))
        elif returned := _RETURN.match(text):
            rows.append(LogRow(min(max(depth, 1), _DEEPEST_STYLE), "suc" if returned[1] == "success" else "err", text))
            depth = max(depth - 1, 0)
        else:
            css = "dim" if _METER.match(text) else "err" if _ERROR.match(text) else ""
            rows.append(LogRow(min(depth + 1, _DEEPEST_STYLE), css, text))
    return rows
