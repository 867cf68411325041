"""The types of an IDL as values. A type that this codec does not know is `Unsupported`: it may stand in a document, and
using it is an error."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Plain(Enum):
    """Types without parameters, beside numbers."""

    BOOL = "bool"
    STRING = "string"
    BYTES = "bytes"
    PUBKEY = "pubkey"


@dataclass(frozen=True, slots=True)
class Integer:
    """u8 to u256 and i8 to i256, little-endian."""

    bits: int
    signed: bool

    @property
    def name(self) -> str:
        return f"{'i' if self.signed else 'u'}{self.bits}"

    @property
    def low(self) -> int:
        return -(1 << self.bits - 1) if self.signed else 0

    @property
    def high(self) -> int:
        return (1 << self.bits - self.signed) - 1


@dataclass(frozen=True, slots=True)
class Float:
    """f32 and f64, little-endian IEEE 754."""

    bits: int


@dataclass(frozen=True, slots=True)
class Option:
    """A byte 0, or a byte 1 and the value."""

    inner: Type


@dataclass(frozen=True, slots=True)
class COption:
    """SPL Token's packed option: four bytes 0 or 1, and the value's room in both cases."""

    inner: Type


@dataclass(frozen=True, slots=True)
class Vec:
    """A count of four bytes, and the items."""

    item: Type


@dataclass(frozen=True, slots=True)
class Generic:
    """A parameter of a type definition: a type, or a constant."""

    name: str


@dataclass(frozen=True, slots=True)
class Array:
    """So many items, without a count."""

    item: Type
    length: int | Generic


@dataclass(frozen=True, slots=True)
class Tuple:
    items: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """hashMap and bTreeMap: a count of four bytes, then keys with values, sorted by key."""

    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class Defined:
    """A type of the document, with what its parameters are here."""

    name: str
    arguments: tuple[Type | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Something that this codec does not know, as the document writes it."""

    text: str


Type: TypeAlias = (
    Plain | Integer | Float | Option | COption | Vec | Array | Tuple | Map | Defined | Generic | Unsupported
)

U8 = Integer(8, signed=False)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct, of an enum's variant, or an argument. Without a name in tuples."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Fields:
    """In their order; `named` says whether values are an object or a list."""

    items: tuple[Field, ...] = ()
    named: bool = True


@dataclass(frozen=True, slots=True)
class Struct:
    fields: Fields


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class EnumBody:
    """A byte says which variant it is, by its place; its fields follow."""

    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    type: Type


Body: TypeAlias = Struct | EnumBody | Alias


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    """A named type; `parameters` are the names of its generics, types and constants alike."""

    name: str
    parameters: tuple[str, ...]
    body: Body


def describe(kind: Type) -> str:
    """A type in a few words, for messages."""
    match kind:
        case Plain():
            return kind.value
        case Integer() | Unsupported():
            return kind.name if isinstance(kind, Integer) else kind.text
        case Float(bits):
            return f"f{bits}"
        case Option(inner) | COption(inner):
            return f"{describe(inner)} or null"
        case Vec(item):
            return "bytes" if item == U8 else f"list of {describe(item)}"
        case Array(item, length):
            return f"{length if isinstance(length, int) else length.name} × {describe(item)}"
        case Tuple(types):
            return f"list of {', '.join(describe(one) for one in types)}"
        case Map(key, value):
            return f"map of {describe(key)} to {describe(value)}"
        case Defined(name) | Generic(name):
            return name
