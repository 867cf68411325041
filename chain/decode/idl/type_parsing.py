"""Types of an IDL document, both spellings, as typed values. Structure that is wrong raises InvalidIdl; a type that is
only unknown becomes `Unsupported`, because most calls of a program do not need every type of its IDL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chain.decode.idl.errors import InvalidIdl
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
    Unsupported,
    Variant,
    Vec,
)

# The largest account has 10 MiB; no array of more items can be anywhere.
MAX_ARRAY_LENGTH = 10 * 1024 * 1024
MAX_VARIANTS = 256  # an enum's tag is one byte
MAX_DEPTH = 64

_WORDS: Mapping[str, Type] = {
    "bool": Plain.BOOL,
    "string": Plain.STRING,
    "bytes": Plain.BYTES,
    "pubkey": Plain.PUBKEY,
    "publicKey": Plain.PUBKEY,
    "f32": Float(32),
    "f64": Float(64),
    **{f"u{bits}": Integer(bits, signed=False) for bits in (8, 16, 32, 64, 128, 256)},
    **{f"i{bits}": Integer(bits, signed=True) for bits in (8, 16, 32, 64, 128, 256)},
}


def mapping(value: Any, path: str) -> Mapping[str, Any]:
    """The value, which must be an object."""
    if not isinstance(value, Mapping):
        raise InvalidIdl(path, "must be an object")
    return value


def sequence(value: Any, path: str) -> Sequence[Any]:
    """The value, which must be a list; absent is an empty one."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise InvalidIdl(path, "must be a list")
    return value


def name_of(value: Any, path: str) -> str:
    """The `name` of an object."""
    name = mapping(value, path).get("name")
    if not isinstance(name, str) or not name:
        raise InvalidIdl(f"{path}.name", "must be a name")
    return name


def parse_type(value: Any, path: str, depth: int = 0) -> Type:
    """A type as it stands in a field."""
    if depth > MAX_DEPTH:
        raise InvalidIdl(path, f"is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, str):
        return _WORDS.get(value, Unsupported(value))
    if not isinstance(value, Mapping):
        raise InvalidIdl(path, "must be the name of a type or an object")
    for kind, parse in _PARSERS.items():
        if kind in value:
            return parse(value[kind], f"{path}.{kind}", depth + 1)
    return Unsupported(", ".join(sorted(str(key) for key in value)) or "{}")


def parse_fields(value: Any, path: str) -> Fields:
    """Fields of a struct or a variant: objects with name and type, or types alone."""
    entries = sequence(value, path)
    named = all(isinstance(entry, Mapping) and "name" in entry and "type" in entry for entry in entries)
    if named:
        fields = [
            Field(name_of(entry, f"{path}[{place}]"), parse_type(entry["type"], f"{path}[{place}].type"))
            for place, entry in enumerate(entries)
        ]
    else:
        fields = [Field(str(place), parse_type(entry, f"{path}[{place}]")) for place, entry in enumerate(entries)]
    return Fields(tuple(fields), named)


def parse_arguments(value: Any, path: str) -> Fields:
    """Arguments of an instruction: each with name and type."""
    fields = [
        Field(name_of(entry, f"{path}[{place}]"), parse_type(entry.get("type"), f"{path}[{place}].type"))
        for place, entry in enumerate(sequence(value, path))
    ]
    return Fields(tuple(fields))


def parse_definition(value: Any, path: str) -> TypeDefinition:
    """An entry of `types`, or of `accounts` before Anchor 0.30."""
    name = name_of(value, path)
    parameters = [
        name_of(one, f"{path}.generics[{place}]")
        for place, one in enumerate(sequence(value.get("generics"), f"{path}.generics"))
    ]
    body = _parse_body(value.get("type"), f"{path}.type")
    if not _is_borsh(value):
        body = Alias(Unsupported(f"{name}, which is not laid out as Borsh,"))
    return TypeDefinition(name, tuple(parameters), body)


def _is_borsh(definition: Mapping[str, Any]) -> bool:
    """Whether its bytes are as Borsh writes them. Those of `bytemuck` are, because it refuses types with padding; its
    unsafe form does not, unless the type is packed."""
    serialization, layout = definition.get("serialization", "borsh"), definition.get("repr")
    if serialization == "bytemuckunsafe":
        return isinstance(layout, Mapping) and bool(layout.get("packed"))
    return serialization in ("borsh", "bytemuck")


def _parse_body(value: Any, path: str) -> Body:
    body = mapping(value, path)
    kind = body.get("kind")
    if kind == "struct":
        return Struct(parse_fields(body.get("fields"), f"{path}.fields"))
    if kind == "enum":
        return EnumBody(_parse_variants(body.get("variants"), f"{path}.variants"))
    # Anchor writes kind "type"; other generators of the same format say "alias".
    if kind in ("type", "alias"):
        return Alias(parse_type(body.get("alias", body.get("value")), f"{path}.alias"))
    return Alias(Unsupported(f"kind {kind}"))


def _parse_variants(value: Any, path: str) -> tuple[Variant, ...]:
    entries = sequence(value, path)
    if len(entries) > MAX_VARIANTS:
        raise InvalidIdl(path, f"has more than {MAX_VARIANTS} variants")
    return tuple(
        Variant(name_of(one, f"{path}[{place}]"), parse_fields(one.get("fields"), f"{path}[{place}].fields"))
        for place, one in enumerate(entries)
    )


def _parse_array(value: Any, path: str, depth: int) -> Type:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise InvalidIdl(path, "must be a type and a length")
    return Array(parse_type(value[0], f"{path}[0]", depth), _parse_length(value[1], f"{path}[1]"))


def _parse_length(value: Any, path: str) -> int | Generic:
    if isinstance(value, Mapping) and isinstance(value.get("generic"), str):
        return Generic(value["generic"])
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_ARRAY_LENGTH:
        return value
    raise InvalidIdl(path, f"must be a length from 0 to {MAX_ARRAY_LENGTH}, or a generic")


def _parse_tuple(value: Any, path: str, depth: int) -> Type:
    return Tuple(tuple(parse_type(one, f"{path}[{place}]", depth) for place, one in enumerate(sequence(value, path))))


def _parse_map(value: Any, path: str, depth: int) -> Type:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise InvalidIdl(path, "must be the types of key and value")
    return Map(parse_type(value[0], f"{path}[0]", depth), parse_type(value[1], f"{path}[1]", depth))


def _parse_defined(value: Any, path: str, depth: int) -> Type:
    if isinstance(value, str):
        return Defined(value)
    arguments = sequence(mapping(value, path).get("generics"), f"{path}.generics")
    return Defined(
        name_of(value, path),
        tuple(_parse_argument(one, f"{path}.generics[{place}]", depth) for place, one in enumerate(arguments)),
    )


def _parse_argument(value: Any, path: str, depth: int) -> Type | int:
    argument = mapping(value, path)
    if argument.get("kind") == "type":
        return parse_type(argument.get("type"), f"{path}.type", depth)
    constant = str(argument.get("value", ""))
    digits = constant.replace("_", "")
    # What is no number is a constant's name, filled in where the type around it is used.
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else Generic(constant)


def _parse_generic(value: Any, path: str, depth: int) -> Type:
    if not isinstance(value, str):
        raise InvalidIdl(path, "must be the name of a generic")
    return Generic(value)


_PARSERS: Mapping[str, Callable[[Any, str, int], Type]] = {
    "option": lambda value, path, depth: Option(parse_type(value, path, depth)),
    "coption": lambda value, path, depth: COption(parse_type(value, path, depth)),
    "vec": lambda value, path, depth: Vec(parse_type(value, path, depth)),
    "array": _parse_array,
    "tuple": _parse_tuple,
    "hashMap": _parse_map,
    "bTreeMap": _parse_map,
    "defined": _parse_defined,
    "generic": _parse_generic,
}
