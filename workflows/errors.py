"""What the services of workflows raise: the tree of accounts.errors, with the spec's findings in it."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.errors import FieldProblem, Invalid
from workflows.specs.errors import SpecError


def invalid(problems: Iterable[SpecError]) -> Invalid:
    """The error for an input that the specs refuse, with every problem at its place."""
    found = [FieldProblem(problem.path, problem.code, problem.detail) for problem in problems]
    path, detail = found[0].path, found[0].detail
    first = detail if not path or detail.startswith(path) else f"{path}: {detail}"
    return Invalid(first if len(found) == 1 else f"{len(found)} problems; {first}", errors=found)
