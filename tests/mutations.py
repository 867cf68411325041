"""JSON that went wrong: another type, a part missing or there twice, a number without measure, a flipped bit."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]


def deep(levels: int) -> Any:
    value: Any = None
    for _ in range(levels):
        value = [value]
    return value


JUNK = [
    None,
    True,
    False,
    0,
    -1,
    1,
    255,
    2**31,
    2**63,
    2**64,
    10**30,
    -(10**30),
    1.5,
    5.0,
    float("inf"),
    "",
    "x",
    "0",
    "-1",
    "1e9",
    "٣",
    "1" * 5000,
    "11111111111111111111111111111111",
    "\x00",
    "Log truncated",
    [],
    [None],
    [[]],
    [0],
    {},
    {"a": 1},
    {"pubkey": None},
    deep(900),
]


def paths(value: Any, here: Path = ()) -> list[Path]:
    """Every place in it."""
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [here, *(path for key, one in inner for path in paths(one, (*here, key)))]


@st.composite
def mutated(draw: st.DrawFn, documents: st.SearchStrategy[Any], most: int = 3) -> Any:
    """One of the documents with up to `most` things wrong."""
    document = copy.deepcopy(draw(documents))
    for _ in range(draw(st.integers(1, most))):
        places = [path for path in paths(document) if path]
        if not places:
            break
        path = draw(st.sampled_from(places))
        around = document
        for key in path[:-1]:
            around = around[key]
        _change(draw, around, path[-1], document, places)
    return document


def _change(draw: st.DrawFn, around: Any, key: Any, document: Any, places: list[Path]) -> None:
    kind = draw(st.sampled_from(["junk", "drop", "twice", "swap", "near"]))
    if kind == "drop":
        del around[key]
    elif kind == "twice" and isinstance(around, list):
        around.insert(key, around[key])
    elif kind == "swap":
        other: Any = document
        for step in draw(st.sampled_from(places)):
            other = other[step]
        around[key] = copy.deepcopy(other)
    elif kind == "near":
        around[key] = _near(draw, around[key])
    else:
        around[key] = copy.deepcopy(draw(st.sampled_from(JUNK)))


def _near(draw: st.DrawFn, value: Any) -> Any:
    """Almost the same: a character, an item or a bit other or missing."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int):
        return value ^ (1 << draw(st.integers(0, 70)))
    if isinstance(value, str | list) and value:
        at = draw(st.integers(0, len(value) - 1))
        if draw(st.booleans()):
            return value[:at]
        if isinstance(value, str):
            return value[:at] + chr(ord(value[at]) ^ (1 << draw(st.integers(0, 6)))) + value[at + 1 :]
        return value[:at] + value[at + 1 :]
    return value
