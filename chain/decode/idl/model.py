"""An IDL as values: what its program can be told, what it tells, and what its errors mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from chain.decode.idl.definitions import Definitions
from chain.decode.idl.errors import UnknownName
from chain.decode.idl.names import choices, find, meant
from chain.decode.idl.types import Defined, Fields


@dataclass(frozen=True, slots=True)
class ConstSeed:
    """Bytes that the document writes out."""

    value: bytes


@dataclass(frozen=True, slots=True)
class ArgSeed:
    """An argument, or a field of one."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountSeed:
    """The address of another account, or a field of its data, which is of the type `data_type`."""

    path: tuple[str, ...]
    data_type: str | None


@dataclass(frozen=True, slots=True)
class UnknownSeed:
    """A seed that cannot be derived: a call or an index in its path, a kind that nobody knows."""

    text: str


Seed: TypeAlias = ConstSeed | ArgSeed | AccountSeed | UnknownSeed


@dataclass(frozen=True, slots=True)
class Pda:
    """A program-derived address: its seeds, and the program that derives it (None: the IDL's own)."""

    seeds: tuple[Seed, ...]
    program: Seed | None = None


@dataclass(frozen=True, slots=True)
class AccountItem:
    """One account of an instruction; `path` are the groups around it and its name."""

    path: tuple[str, ...]
    writable: bool = False
    signer: bool = False
    optional: bool = False
    address: str | None = None
    pda: Pda | None = None

    @property
    def name(self) -> str:
        """The name within its group."""
        return self.path[-1]

    @property
    def full_name(self) -> str:
        """`group.account`; without groups the name."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a program can be told. Its accounts are flattened, in the order in which the program takes them."""

    name: str
    discriminator: bytes
    accounts: tuple[AccountItem, ...]
    arguments: Fields


@dataclass(frozen=True, slots=True)
class Layout:
    """An event or an account: the bytes that mark it, and the type of what follows."""

    name: str
    discriminator: bytes
    type: Defined


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A custom error of the program."""

    code: int
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Idl:
    """One program's IDL. Events, accounts and instructions are in the order in which their discriminators are tried:
    longer ones first, so that a short one does not swallow what a longer one means."""

    program_id: str
    name: str
    instructions: Mapping[str, Instruction]
    events: tuple[Layout, ...]
    accounts: tuple[Layout, ...]
    errors: Mapping[int, ErrorCode]
    types: Definitions

    def instruction(self, name: str) -> Instruction:
        """By its name in snake_case or camelCase. Raises UnknownName, with the names that there are."""
        found = find(name, self.instructions)
        if found is None:
            known = list(self.instructions)
            raise UnknownName(f"the IDL has no instruction {name}{meant(name, known)} Known: {choices(known)}")
        return found

    def error(self, code: int) -> ErrorCode | None:
        """What the program means by a custom error; None where the IDL does not say."""
        return self.errors.get(code)
