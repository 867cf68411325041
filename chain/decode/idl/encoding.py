"""Arguments of an instruction from JSON values to Borsh. All that is wrong is found in one go, each with its path.

Names are taken in snake_case and camelCase. An argument that the IDL does not know is an error, and so is one that is
missing, unless its type is an option: then it is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chain.decode.idl import scalars, shapes
from chain.decode.idl.definitions import MAX_TYPE_DEPTH, Definitions
from chain.decode.idl.errors import ArgumentErrors, Problem, TypeProblem
from chain.decode.idl.model import Idl, Instruction
from chain.decode.idl.names import choices, find, meant
from chain.decode.idl.scalars import Unfit
from chain.decode.idl.types import (
    U8,
    Alias,
    Array,
    Body,
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
    describe,
)

COUNT_BYTES = 4
MAX_RESERVED_BYTES = 1232


def encode_arguments(idl: Idl, instruction: Instruction, args: Mapping[str, Any]) -> bytes:
    """The instruction's data: its discriminator and the arguments.

    Raises:
        ArgumentErrors: paths begin with `args`.
    """
    encoder = Encoder(idl.types)
    data = encoder.fields(instruction.arguments, args, "args")
    if encoder.problems:
        raise ArgumentErrors(encoder.problems)
    return instruction.discriminator + data


def argument_problems(
    idl: Idl, instruction: Instruction, args: Mapping[str, Any], is_open: Callable[[Any], bool]
) -> list[Problem]:
    """What `encode_arguments` would refuse, as far as it can be said while values that are `is_open` are not known."""
    encoder = Encoder(idl.types, is_open)
    encoder.fields(instruction.arguments, args, "args")
    return encoder.problems


class Encoder:
    """Values to bytes. What does not fit leaves a gap and an entry in `problems`, so that all of them are found."""

    def __init__(self, types: Definitions, is_open: Callable[[Any], bool] = lambda value: False) -> None:
        self._types = types
        self._is_open = is_open
        self.problems: list[Problem] = []

    def value(self, kind: Type, value: Any, path: str, depth: int = 0) -> bytes:
        """One value of a type."""
        if self._is_open(value):
            return b""
        if depth > MAX_TYPE_DEPTH:
            return self._refuse(path, f"is nested more than {MAX_TYPE_DEPTH} levels deep")
        try:
            return self._written(kind, value, path, depth + 1)
        except (Unfit, TypeProblem) as error:
            return self._refuse(path, str(error))

    def fields(self, fields: Fields, value: Any, path: str, depth: int = 0) -> bytes:
        """The fields of a struct, a variant, or an instruction's arguments."""
        if self._is_open(value):
            return b""
        if not fields.named:
            return self._items([field.type for field in fields.items], value, path, depth)
        given = {} if value in (None, []) and not fields.items else value
        if not isinstance(given, Mapping):
            known = choices(field.name for field in fields.items)
            return self._refuse(path, f"must be an object with {known}, not {scalars.shown(value)}")
        return self._named(fields, given, path, depth)

    def _written(self, kind: Type, value: Any, path: str, depth: int) -> bytes:
        match kind:
            case Plain.BOOL:
                return scalars.bool_to_bytes(value)
            case Plain.STRING:
                return _counted(scalars.text_to_bytes(value))
            case Plain.BYTES | Vec(Integer(8, False)):
                return _counted(scalars.raw_to_bytes(value))
            case Plain.PUBKEY:
                return scalars.pubkey_to_bytes(value)
            case Integer():
                return scalars.integer_to_bytes(kind, value)
            case Float():
                return scalars.float_to_bytes(kind, value)
            case Option(inner):
                return b"\0" if value is None else b"\1" + self.value(inner, value, path, depth)
            case COption(inner):
                return self._coption(inner, value, path, depth)
            case Vec(item):
                items = shapes.items(value)
                return _count(len(items)) + self._each(item, items, path, depth)
            case Array(item, length):
                return self._array(item, length, value, path, depth)
            case Tuple(types):
                return self._items(types, value, path, depth)
            case Map(key, held):
                return self._map(key, held, value, path, depth)
            case Defined():
                return self._body(kind.name, self._types.body(kind), value, path, depth)
            case Generic(name):
                raise TypeProblem(f"the generic {name} is not filled in by the IDL")
            case Unsupported(text):
                raise TypeProblem(f"the type {text} is not known")

    def _body(self, name: str, body: Body, value: Any, path: str, depth: int) -> bytes:
        if isinstance(body, Alias):
            return self.value(body.type, value, path, depth)
        if isinstance(body, Struct):
            return self.fields(body.fields, value, path, depth)
        return self._variant(name, body, value, path, depth)

    def _variant(self, name: str, body: EnumBody, value: Any, path: str, depth: int) -> bytes:
        """`"Name"`, or `{"Name": fields}`, which is also taken for a variant without fields."""
        chosen, held = shapes.variant(value)
        variants = {one.name: place for place, one in enumerate(body.variants)}
        place = find(chosen, variants) if chosen is not None else None
        if place is None:
            raise Unfit(f"a variant of {name} ({choices(variants)})", value)
        fields = body.variants[place].fields
        if not fields.items:
            if held:
                return self._refuse(path, f"{body.variants[place].name} has no fields, and came with some")
            return bytes([place])
        return bytes([place]) + self.fields(fields, held, f"{path}.{body.variants[place].name}", depth)

    def _named(self, fields: Fields, given: Mapping[str, Any], path: str, depth: int) -> bytes:
        known = {field.name: field for field in fields.items}
        values: dict[str, Any] = {}
        for name, value in given.items():
            field = find(name, known)
            if field is None:
                self._refuse(f"{path}.{name}", f"is not expected{meant(name, known)} Expected: {choices(known)}")
            elif field.name in values:
                self._refuse(f"{path}.{name}", f"is given twice, in two spellings of {field.name}")
            else:
                values[field.name] = value
        written = b""
        for field in fields.items:
            if field.name in values or isinstance(field.type, Option | COption):
                written += self.value(field.type, values.get(field.name), f"{path}.{field.name}", depth)
            else:
                self._refuse(f"{path}.{field.name}", f"is missing ({describe(field.type)})")
        return written

    def _items(self, types: Sequence[Type], value: Any, path: str, depth: int) -> bytes:
        items = [] if value is None and not types else value
        if not isinstance(items, list) or len(items) != len(types):
            return self._refuse(path, str(Unfit(f"a list of {len(types)}", value)))
        return b"".join(
            self.value(kind, item, f"{path}[{place}]", depth)
            for place, (kind, item) in enumerate(zip(types, items, strict=True))
        )

    def _each(self, kind: Type, items: Sequence[Any], path: str, depth: int) -> bytes:
        return b"".join(self.value(kind, item, f"{path}[{place}]", depth) for place, item in enumerate(items))

    def _array(self, item: Type, length: int | Generic, value: Any, path: str, depth: int) -> bytes:
        if isinstance(length, Generic):
            raise TypeProblem(f"the length {length.name} is not filled in by the IDL")
        if item == U8:
            raw = scalars.raw_to_bytes(value)
            if len(raw) != length:
                raise Unfit(f"{length} bytes", f"{len(raw)} bytes")
            return raw
        items = shapes.items(value)
        if len(items) != length:
            raise Unfit(f"a list of {length}", value)
        return self._each(item, items, path, depth)

    def _coption(self, inner: Type, value: Any, path: str, depth: int) -> bytes:
        if value is not None:
            return (1).to_bytes(4, "little") + self.value(inner, value, path, depth)
        size = self._types.fixed_size(inner) or 0
        if size > MAX_RESERVED_BYTES:
            raise TypeProblem(f"reserves {size} bytes, which no transaction has")
        return bytes(4 + size)

    def _map(self, key: Type, held: Type, value: Any, path: str, depth: int) -> bytes:
        """An object, or a list of pairs. Borsh wants the keys in their order."""
        entries: dict[bytes, bytes] = {}
        for name, one in shapes.pairs(value):
            where = f"{path}.{name}" if isinstance(name, str) else f"{path}[{scalars.shown(name)}]"
            key_bytes = self.value(key, name, where, depth)
            if key_bytes in entries:
                self._refuse(where, "is a key twice")
            entries[key_bytes] = self.value(held, one, where, depth)
        key = self._types.unaliased(key)
        ordered = sorted(entries, key=lambda encoded: _rank(key, encoded))
        return _count(len(entries)) + b"".join(encoded + entries[encoded] for encoded in ordered)

    def _refuse(self, path: str, detail: str) -> bytes:
        self.problems.append(Problem(path, detail))
        return b""


def _rank(key: Type, encoded: bytes) -> Any:
    """What keys are ordered by: numbers as numbers, texts without their length; the rest by their bytes."""
    if isinstance(key, Integer):
        return int.from_bytes(encoded, "little", signed=key.signed)
    return encoded[COUNT_BYTES:] if key is Plain.STRING else encoded


def _count(number: int) -> bytes:
    return number.to_bytes(COUNT_BYTES, "little")


def _counted(data: bytes) -> bytes:
    return _count(len(data)) + data
