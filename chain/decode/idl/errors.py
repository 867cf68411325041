"""What can be wrong with an IDL, and with a call by one. Nothing here is raised for bytes that are decoded.

IdlError (ValueError)
├── InvalidIdl      the document is no IDL; `path` into it
├── UnknownName     the IDL has nothing of that name; says what it has
├── ArgumentErrors  arguments that do not fit their types; `problems`, each with its path
├── AccountErrors   accounts that are missing, unknown or not derivable; `problems` likewise
└── TypeProblem     a type that the document names and does not define, or that this codec does not know
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (`args.config.fee_bps`, `accounts.pool`), and what came and what is allowed."""

    path: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}: {self.detail}"


class IdlError(ValueError):
    """Base of what an IDL refuses."""


class InvalidIdl(IdlError):
    """The document is not an Anchor IDL, as far as its structure goes."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}" if path else detail)
        self.path = path
        self.detail = detail


class UnknownName(IdlError):
    """The IDL has no such instruction."""


class Problems(IdlError):
    """Everything that is wrong with one part of a call; never empty."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class ArgumentErrors(Problems):
    """The arguments cannot be encoded."""


class AccountErrors(Problems):
    """The accounts cannot be found."""


class TypeProblem(IdlError):
    """A type of the document cannot be used."""
