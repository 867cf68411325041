"""The defined types of a document: looked up by name, with their generics filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chain.decode.idl.errors import TypeProblem
from chain.decode.idl.types import (
    Alias,
    Array,
    Body,
    COption,
    Defined,
    EnumBody,
    Field,
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
    TypeDefinition,
    Variant,
    Vec,
)

Bindings = Mapping[str, Type | int]

# A type that contains itself without an option or a vec has no end, and a document may hold one.
MAX_TYPE_DEPTH = 64
# A generic that hands on more than it got (`Rec<(T, T)>`) doubles with each level.
MAX_ARGUMENT_PARTS = 256


class Definitions:
    """The types that a document defines. Cheap to ask again: a filled-in body is remembered."""

    def __init__(self, by_name: Mapping[str, TypeDefinition]) -> None:
        self._by_name = dict(by_name)
        self._bodies: dict[Defined, Body] = {}
        self._sizes: dict[Defined, int | None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def body(self, wanted: Defined) -> Body:
        """What the type is made of, without generics. Raises TypeProblem where the document does not say."""
        known = self._bodies.get(wanted)
        if known is None:
            known = self._bodies[wanted] = self._bound(wanted)
        return known

    def unaliased(self, one: Type) -> Type:
        """The type that an alias stands for, as far as it stands for one. Raises TypeProblem as `body`."""
        for _ in range(MAX_TYPE_DEPTH):
            body = self.body(one) if isinstance(one, Defined) else None
            if not isinstance(body, Alias):
                break
            one = body.type
        return one

    def fixed_size(self, one: Type) -> int | None:
        """How many bytes every value of the type takes; None where that depends on the value."""
        match one:
            case Plain.BOOL:
                return 1
            case Plain.PUBKEY:
                return 32
            case Integer() | Float():
                return one.bits // 8
            case Array(item, int() as length):
                size = self.fixed_size(item)
                return None if size is None else size * length
            case Tuple(items):
                return self._sum(items)
            case COption(inner):
                size = self.fixed_size(inner)
                return None if size is None else 4 + size
            case Defined():
                if one not in self._sizes:
                    self._sizes[one] = None  # what contains itself has no size
                    self._sizes[one] = self._size_of_body(self.body(one))
                return self._sizes[one]
            case _:
                return None

    def _size_of_body(self, body: Body) -> int | None:
        if isinstance(body, Alias):
            return self.fixed_size(body.type)
        if isinstance(body, Struct):
            return self._sum([field.type for field in body.fields.items])
        sizes = {self._sum([field.type for field in variant.fields.items]) for variant in body.variants}
        size = sizes.pop() if len(sizes) == 1 else None
        return None if size is None else 1 + size

    def _sum(self, types: Sequence[Type]) -> int | None:
        total = 0
        for one in types:
            size = self.fixed_size(one)
            if size is None:
                return None
            total += size
        return total

    def _bound(self, wanted: Defined) -> Body:
        definition = self._by_name.get(wanted.name)
        if definition is None:
            raise TypeProblem(f"the IDL does not define the type {wanted.name}")
        if len(definition.parameters) != len(wanted.arguments):
            raise TypeProblem(
                f"the type {wanted.name} has {len(definition.parameters)} generics, and is used with"
                f" {len(wanted.arguments)}"
            )
        bindings = dict(zip(definition.parameters, wanted.arguments, strict=True))
        return _bind_body(definition.body, bindings) if bindings else definition.body


def _bind_body(body: Body, bindings: Bindings) -> Body:
    if isinstance(body, Alias):
        return Alias(_bind(body.type, bindings))
    if isinstance(body, Struct):
        return Struct(_bind_fields(body.fields, bindings))
    return EnumBody(tuple(Variant(one.name, _bind_fields(one.fields, bindings)) for one in body.variants))


def _bind_fields(fields: Fields, bindings: Bindings) -> Fields:
    return Fields(tuple(Field(one.name, _bind(one.type, bindings)) for one in fields.items), fields.named)


def _bind(one: Type, bindings: Bindings) -> Type:
    match one:
        case Generic(name):
            bound = bindings.get(name, one)
            if isinstance(bound, int):
                raise TypeProblem(f"the generic {name} is a constant, and is used as a type")
            return bound
        case Option(inner):
            return Option(_bind(inner, bindings))
        case COption(inner):
            return COption(_bind(inner, bindings))
        case Vec(item):
            return Vec(_bind(item, bindings))
        case Array(item, length):
            return Array(_bind(item, bindings), _bind_length(length, bindings))
        case Tuple(items):
            return Tuple(tuple(_bind(item, bindings) for item in items))
        case Map(key, value):
            return Map(_bind(key, bindings), _bind(value, bindings))
        case Defined(name, arguments):
            bound_arguments = tuple(_bind_argument(argument, bindings) for argument in arguments)
            if sum(map(_parts, bound_arguments)) > MAX_ARGUMENT_PARTS:
                raise TypeProblem(f"the generics of {name} have no end")
            return Defined(name, bound_arguments)
        case _:
            return one


def _bind_length(length: int | Generic, bindings: Bindings) -> int | Generic:
    if isinstance(length, int):
        return length
    bound = bindings.get(length.name, length)
    if not isinstance(bound, int | Generic):
        raise TypeProblem(f"the generic {length.name} is a type, and is used as a length")
    return bound


def _bind_argument(argument: Type | int, bindings: Bindings) -> Type | int:
    # A generic handed on may be a type or a constant: only where it is used does that matter.
    if isinstance(argument, Generic):
        return bindings.get(argument.name, argument)
    return argument if isinstance(argument, int) else _bind(argument, bindings)


def _parts(one: Type | int) -> int:
    """Of how many types a type is made."""
    match one:
        case Option(inner) | COption(inner) | Vec(inner) | Array(inner, _):
            return 1 + _parts(inner)
        case Tuple(items) | Defined(_, items):
            return 1 + sum(map(_parts, items))
        case Map(key, value):
            return 1 + _parts(key) + _parts(value)
        case _:
            return 1
