"""What decoders take and give: an instruction in, a Decoded or an Unknown out. They never raise."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from solders.pubkey import Pubkey


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a transaction with its accounts resolved.

    `index` is that of the top-level instruction, counted from 0; `inner` the place among the instructions that it
    caused, None for the top-level one itself. `stack_height` is 1 at the top, None where the node does not say.
    `is_parsed`: the node has read it (encoding `jsonParsed`) and tells no bytes.
    """

    program_id: str
    accounts: tuple[str, ...]
    data: bytes
    index: int = 0
    inner: int | None = None
    stack_height: int | None = None
    is_parsed: bool = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """An understood instruction: `program` and `name` as Solana's own tools spell them, integers in base units."""

    program: str
    name: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """`system.transfer`, `spl-token.transferChecked`…"""
        return f"{self.program}.{self.name}" if self.name else self.program


@dataclass(frozen=True, slots=True)
class Unknown:
    """An instruction that no decoder understands, and why: another program, a new variant, too short, impossible."""

    program_id: str
    reason: str


class Decoder(Protocol):
    """Decodes the instructions of one or more programs."""

    def __call__(self, instruction: Instruction) -> Decoded | Unknown: ...


class Unreadable(Exception):
    """The data cannot be what the layout promises; says why. Stays inside decoders."""


class TooShort(Unreadable):
    """The data or the account list ends before what the layout promises."""

    def __init__(self) -> None:
        super().__init__("too short")


class Reader:
    """Reads little-endian values off instruction data. Raises TooShort at its end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def remaining(self) -> int:
        """How many bytes were not taken yet."""
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        piece = self._data[self._at : self._at + size]
        if len(piece) < size:
            raise TooShort
        self._at += size
        return piece


def u8(reader: Reader) -> int:
    return reader.take(1)[0]


def u16(reader: Reader) -> int:
    return int.from_bytes(reader.take(2), "little")


def u32(reader: Reader) -> int:
    return int.from_bytes(reader.take(4), "little")


def u64(reader: Reader) -> int:
    return int.from_bytes(reader.take(8), "little")


def i16(reader: Reader) -> int:
    return int.from_bytes(reader.take(2), "little", signed=True)


def i64(reader: Reader) -> int:
    return int.from_bytes(reader.take(8), "little", signed=True)


def f64_text(reader: Reader) -> str:
    """As decimal text: no JSON has numbers for what is none."""
    return str(struct.unpack("<d", reader.take(8))[0])


def flag(reader: Reader) -> bool:
    """A byte 0 or 1. The chain refuses any other, so it says nothing."""
    number = u8(reader)
    if number > 1:
        raise Unreadable("a flag is neither 0 nor 1")
    return bool(number)


def pubkey(reader: Reader) -> str:
    return str(Pubkey.from_bytes(reader.take(32)))


def optional_pubkey(reader: Reader) -> str | None:
    """A one-byte flag, then the key where it is set (SPL Token's packing)."""
    return pubkey(reader) if flag(reader) else None


def optional_u64(reader: Reader) -> int | None:
    """A one-byte flag, then the number where it is set."""
    return u64(reader) if flag(reader) else None


def nonzero_pubkey(reader: Reader) -> str | None:
    """32 bytes, all zero for none (the packing of Token-2022 extensions)."""
    key = reader.take(32)
    return str(Pubkey.from_bytes(key)) if any(key) else None


def bincode_text(reader: Reader) -> str:
    """UTF-8 after a length of eight bytes (the system program's seeds)."""
    return _text(reader.take(u64(reader)))


def borsh_text(reader: Reader) -> str:
    """UTF-8 after a length of four bytes (Token-2022 metadata)."""
    return _text(reader.take(u32(reader)))


def rest_text(reader: Reader) -> str:
    """UTF-8 up to the end."""
    return _text(reader.take(reader.remaining))


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("a text is no UTF-8") from error


@dataclass(frozen=True, slots=True)
class Layout:
    """A variant of a program's instructions: its name, its first accounts and the fields of its data, in order.
    `others` is what the accounts that follow are, where they all are the same."""

    name: str
    accounts: Sequence[str] = ()
    fields: Sequence[tuple[str, Callable[[Reader], Any]]] = ()
    others: str = ""

    def read(self, program: str, reader: Reader, accounts: Sequence[str]) -> Decoded:
        """Raises Unreadable where accounts or data are missing or impossible; what follows them is left alone, as the
        chain does."""
        if len(accounts) < len(self.accounts):
            raise TooShort
        values: dict[str, Any] = dict(zip(self.accounts, accounts, strict=False))
        if self.others:
            values[self.others] = list(accounts[len(self.accounts) :])
        for name, read in self.fields:
            values[name] = read(reader)
        return Decoded(program, self.name, values)


def read_variant(
    program: str, variant_of: Callable[[Reader], int], layouts: Mapping[int, Layout], instruction: Instruction
) -> Decoded | Unknown:
    """An instruction whose data begins with the number of its variant."""
    reader = Reader(instruction.data)
    try:
        variant = variant_of(reader)
        layout = layouts.get(variant)
        if layout is None:
            return Unknown(instruction.program_id, f"variant {variant}")
        return layout.read(program, reader, instruction.accounts)
    except Unreadable as error:
        return Unknown(instruction.program_id, str(error))
