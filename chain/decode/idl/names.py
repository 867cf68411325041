"""Names in IDLs: snake_case since Anchor 0.30, camelCase before it, and users write either."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LISTED = 20


def snake(name: str) -> str:
    """`swapV2` -> `swap_v2`: the Rust name of what an IDL before 0.30 spells in camelCase."""
    return _WORD_STARTS.sub("_", name).lower()


def same_name(name: str) -> str:
    """What two spellings of one name have in common: `feeBps`, `fee_bps` and `FeeBps` are one."""
    return name.replace("_", "").lower()


def find(name: str, named: Mapping[str, T]) -> T | None:
    """The thing of that name: as written, else in another spelling when only one thing has it."""
    if name in named:
        return named[name]
    alike = [key for key in named if same_name(key) == same_name(name)]
    return named[alike[0]] if len(alike) == 1 else None


def choices(names: Iterable[str]) -> str:
    """The names for a sentence, some of them where there are many."""
    known = list(names)
    if not known:
        return "none"
    shown = ", ".join(known[:_LISTED])
    return f"{shown} and {len(known) - _LISTED} more" if len(known) > _LISTED else shown


def meant(name: str, names: Iterable[str]) -> str:
    """How a sentence about a wrong name goes on: `; did you mean …?` where one is close, else a full stop."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {close[0]}?" if close else "."
