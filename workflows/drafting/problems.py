"""The problems of a definition, each beside the field that it is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from workflows.drafting.paths import is_within
from workflows.specs.errors import SpecError

_SUBJECT = re.compile(r"^\S+(?: \((?:\"[^\"]*\"|[^()]*)\))? ")


def of_place(problems: Iterable[SpecError], path: str) -> list[SpecError]:
    """Those at a place or below it."""
    return [problem for problem in problems if is_within(problem.path, path)]


def beside(problems: Iterable[SpecError], path: str, places: Sequence[str]) -> list[SpecError]:
    """Those of the card at `path` that none of the places of its controls takes: they stand above the form."""
    return [
        problem for problem in of_place(problems, path) if not any(is_within(problem.path, place) for place in places)
    ]


def sentence(problem: SpecError) -> str:
    """What is wrong, without the name of the field that it stands beside."""
    detail = problem.detail
    if problem.path and detail.startswith(problem.path):
        detail = _SUBJECT.sub("", detail, count=1).removeprefix(": ")
    return detail[:1].upper() + detail[1:]
