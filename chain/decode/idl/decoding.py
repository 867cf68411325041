"""Bytes of an instruction, an event or an account to JSON values. Never raises for what the bytes are.

Lengths are checked: a program emits events of the version that it runs, which may be older or newer than the IDL at
hand. What is shorter than the IDL says is Unknown (a decoder that goes on reads zeros nobody wrote), what is longer is
told by `trailing_bytes`; accounts are often larger than what is in them, so there it is usual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from solders.pubkey import Pubkey

from chain.decode.base import Reader, TooShort, Unknown
from chain.decode.idl import scalars
from chain.decode.idl.definitions import MAX_TYPE_DEPTH, Definitions
from chain.decode.idl.errors import TypeProblem
from chain.decode.idl.model import Idl, Layout
from chain.decode.idl.types import (
    U8,
    Alias,
    Array,
    COption,
    Defined,
    EnumBody,
    Fields,
    Float,
    Generic,
    Integer,
    Map,
    Option,
    Plain,
    Struct,
    Tuple,
    Type,
    Unsupported,
    Vec,
)

# sha256("anchor:event")[:8], little-endian: how a program calls itself to put an event where no log can be cut.
CPI_EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
# An array of items without bytes can be as long as its document says; this is more than any account holds.
MAX_VALUES = 1_000_000


@dataclass(frozen=True, slots=True)
class DecodedData:
    """A named thing with its values as JSON; `trailing_bytes` follow that the IDL does not know."""

    name: str
    values: dict[str, Any]
    trailing_bytes: int = 0


class Malformed(Exception):
    """The bytes cannot be what the type says. Stays inside decoders."""


def decode_event(idl: Idl, data: bytes) -> DecodedData | Unknown | None:
    """The bytes of a `Program data:` line. None where they are no event of this IDL."""
    return _decode_layout(idl, idl.events, data)


def decode_cpi_event(idl: Idl, instruction_data: bytes) -> DecodedData | Unknown | None:
    """The data of an instruction with which the program called itself (`emit_cpi!`). None for any other."""
    if not instruction_data.startswith(CPI_EVENT_TAG):
        return None
    return decode_event(idl, instruction_data[len(CPI_EVENT_TAG) :])


def decode_account(idl: Idl, data: bytes) -> DecodedData | Unknown | None:
    """The data of an account that the program owns. None where it is no account of this IDL."""
    return _decode_layout(idl, idl.accounts, data)


def decode_instruction(idl: Idl, data: bytes) -> DecodedData | Unknown | None:
    """The data of an instruction to the program. None where it is no instruction of this IDL."""
    for one in idl.instructions.values():
        if data.startswith(one.discriminator):
            body = data[len(one.discriminator) :]
            return _decode(idl, one.name, body, partial(ValueReader.fields, fields=one.arguments, path=""))
    return None


def _decode_layout(idl: Idl, layouts: Sequence[Layout], data: bytes) -> DecodedData | Unknown | None:
    for layout in layouts:
        if data.startswith(layout.discriminator):
            body = data[len(layout.discriminator) :]
            return _decode(idl, layout.name, body, partial(ValueReader.value, kind=layout.type, path=""))
    return None


def _decode(idl: Idl, name: str, data: bytes, read: Callable[[ValueReader], Any]) -> DecodedData | Unknown:
    reader = ValueReader(idl.types, data)
    try:
        held = read(reader)
    except (Malformed, TypeProblem) as error:
        return Unknown(idl.program_id, f"{name}: {error}")
    return DecodedData(name, held if isinstance(held, dict) else {"value": held}, reader.remaining)


class ValueReader:
    """Reads values off bytes. Raises Malformed, with the path, and TypeProblem."""

    def __init__(self, types: Definitions, data: bytes) -> None:
        self._types = types
        self._reader = Reader(data)
        self._values = 0

    @property
    def remaining(self) -> int:
        """Bytes that nothing has read yet."""
        return self._reader.remaining

    def value(self, kind: Type, path: str, depth: int = 0) -> Any:
        """One value of a type."""
        self._values += 1
        if depth > MAX_TYPE_DEPTH or self._values > MAX_VALUES:
            raise Malformed(f"{path or 'it'} has no end")
        depth += 1
        match kind:
            case Plain():
                return self._plain(kind, path)
            case Integer():
                return scalars.integer_from_bytes(kind, self._take(kind.bits // 8, path))
            case Float():
                return scalars.float_from_bytes(kind, self._take(kind.bits // 8, path))
            case Option(inner):
                return self.value(inner, path, depth) if self._flag(1, path) else None
            case COption(inner):
                return self._coption(inner, path, depth)
            case Vec(item):
                return self._items(item, self._count(path), path, depth)
            case Array(item, length):
                if isinstance(length, Generic):
                    raise TypeProblem(f"the length {length.name} is not filled in by the IDL")
                return self._items(item, length, path, depth)
            case Tuple(types):
                return [self.value(one, f"{path}[{place}]", depth) for place, one in enumerate(types)]
            case Map(key, held):
                return self._map(key, held, path, depth)
            case Defined():
                return self._defined(kind, path, depth)
            case Generic(name):
                raise TypeProblem(f"the generic {name} is not filled in by the IDL")
            case Unsupported(text):
                raise TypeProblem(f"the type {text} is not known")

    def fields(self, fields: Fields, path: str, depth: int = 0) -> Any:
        """An object of named fields, a list of others."""
        if fields.named:
            return {one.name: self.value(one.type, _below(path, one.name), depth) for one in fields.items}
        return [self.value(one.type, f"{path}[{one.name}]", depth) for one in fields.items]

    def _plain(self, kind: Plain, path: str) -> Any:
        if kind is Plain.BOOL:
            return self._flag(1, path)
        if kind is Plain.PUBKEY:
            return str(Pubkey.from_bytes(self._take(scalars.PUBKEY_BYTES, path)))
        raw = self._take(self._count(path), path)
        if kind is Plain.BYTES:
            return scalars.raw_from_bytes(raw)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"{path} is no UTF-8") from error

    def _items(self, kind: Type, count: int, path: str, depth: int) -> Any:
        if kind == U8:
            return scalars.raw_from_bytes(self._take(count, path))
        return [self.value(kind, f"{path}[{place}]", depth) for place in range(count)]

    def _coption(self, inner: Type, path: str, depth: int) -> Any:
        if self._flag(4, path):
            return self.value(inner, path, depth)
        self._take(self._types.fixed_size(inner) or 0, path)
        return None

    def _map(self, key: Type, held: Type, path: str, depth: int) -> Any:
        """An object where keys are texts, numbers or addresses; else a list of pairs."""
        pairs: list[list[Any]] = []
        for place in range(self._count(path)):
            name = self.value(key, f"{path}[{place}]", depth)
            pairs.append([name, self.value(held, f"{path}[{place}]", depth)])
        key = self._types.unaliased(key)
        if not isinstance(key, Integer) and key not in (Plain.STRING, Plain.PUBKEY):
            return pairs
        found = {str(name): one for name, one in pairs}
        if len(found) != len(pairs):
            raise Malformed(f"{path} has a key twice")
        return found

    def _defined(self, kind: Defined, path: str, depth: int) -> Any:
        body = self._types.body(kind)
        if isinstance(body, Alias):
            return self.value(body.type, path, depth)
        if isinstance(body, Struct):
            return self.fields(body.fields, path, depth)
        return self._variant(kind.name, body, path, depth)

    def _variant(self, name: str, body: EnumBody, path: str, depth: int) -> Any:
        """The name of a variant without fields; of another an object of its name and its fields."""
        tag = self._number(1, path)
        if tag >= len(body.variants):
            raise Malformed(f"{path} is variant {tag} of {name}, which has {len(body.variants)}")
        variant = body.variants[tag]
        if not variant.fields.items:
            return variant.name
        return {variant.name: self.fields(variant.fields, _below(path, variant.name), depth)}

    def _flag(self, size: int, path: str) -> bool:
        flag = self._number(size, path)
        if flag > 1:
            raise Malformed(f"{path} is neither 0 nor 1")
        return bool(flag)

    def _count(self, path: str) -> int:
        """Borsh knows no collections of items without bytes, so a count above the bytes that follow is a lie."""
        count = self._number(4, path)
        if count > self.remaining:
            raise Malformed(f"{path} counts {count} items, and {self.remaining} bytes follow")
        return count

    def _number(self, size: int, path: str) -> int:
        return int.from_bytes(self._take(size, path), "little")

    def _take(self, size: int, path: str) -> bytes:
        try:
            return self._reader.take(size)
        except TooShort as error:
            raise Malformed(f"the data ends in {path or 'it'}") from error


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
