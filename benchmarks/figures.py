"""A benchmark's figures: told by each script as it goes, gathered into one table by `python -m benchmarks`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MARK = "figure"


class Figure(NamedTuple):
    """`value` as people read it, with its unit."""

    name: str
    value: str


def tell(name: str, value: str) -> None:
    """Print a figure, for people and for the table."""
    print(MARK, name, value, sep="\t", flush=True)


def told(line: str) -> Figure | None:
    """The figure that a line tells, None for any other line."""
    words = line.rstrip("\n").split("\t")
    return Figure(*words[1:]) if len(words) == 3 and words[0] == MARK else None


def table(figures: Iterable[Figure]) -> str:
    """As Markdown."""
    return "\n".join(["| | |", "| --- | ---: |", *(f"| {name} | {value} |" for name, value in figures)])
