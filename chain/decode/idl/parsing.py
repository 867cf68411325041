"""An IDL document, of either format, as an `Idl`.

Before Anchor 0.30 discriminators are not written down: they are hashes of names. Since then they are, of any length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from solders.pubkey import Pubkey

from chain.decode.idl.definitions import Definitions
from chain.decode.idl.errors import InvalidIdl
from chain.decode.idl.model import (
    AccountItem,
    AccountSeed,
    ArgSeed,
    ConstSeed,
    ErrorCode,
    Idl,
    Instruction,
    Layout,
    Pda,
    Seed,
    UnknownSeed,
)
from chain.decode.idl.names import snake
from chain.decode.idl.old_seeds import const_seed
from chain.decode.idl.type_parsing import (
    mapping,
    name_of,
    parse_arguments,
    parse_definition,
    parse_fields,
    sequence,
)
from chain.decode.idl.types import Defined, Struct, TypeDefinition

DISCRIMINATOR_BYTES = 8
MAX_GROUPS = 8
_PATH_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def parse_idl(document: Any, program_id: str) -> Idl:
    """The IDL of `program_id`, which is the one to call whatever address the document names.

    Raises:
        InvalidIdl: the document's structure is no IDL's. Types that are only unknown are told where they are used.
    """
    root = mapping(document, "")
    definitions = _definitions(root)
    types = Definitions(definitions)
    return Idl(
        program_id=program_id,
        name=_program_name(root),
        instructions=_instructions(root),
        events=_layouts(root, "events", "event"),
        accounts=_layouts(root, "accounts", "account"),
        errors=_errors(root),
        types=types,
    )


def _program_name(root: Mapping[str, Any]) -> str:
    metadata = root.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    name = name or root.get("name")
    return name if isinstance(name, str) else ""


def _definitions(root: Mapping[str, Any]) -> dict[str, TypeDefinition]:
    """`types`, and what was defined where it is used before 0.30: accounts with a type, events with fields."""
    found: dict[str, TypeDefinition] = {}
    for place, event in enumerate(sequence(root.get("events"), "events")):
        if isinstance(event, Mapping) and "fields" in event:
            name = name_of(event, f"events[{place}]")
            found[name] = TypeDefinition(name, (), Struct(parse_fields(event["fields"], f"events[{place}].fields")))
    for place, account in enumerate(sequence(root.get("accounts"), "accounts")):
        if isinstance(account, Mapping) and "type" in account:
            definition = parse_definition(account, f"accounts[{place}]")
            found[definition.name] = definition
    for place, one in enumerate(sequence(root.get("types"), "types")):
        definition = parse_definition(one, f"types[{place}]")
        found[definition.name] = definition
    return found


def _layouts(root: Mapping[str, Any], part: str, namespace: str) -> tuple[Layout, ...]:
    layouts = [
        Layout(name, _discriminator(one, f"{part}[{place}]", f"{namespace}:{name}"), Defined(name))
        for place, one in enumerate(sequence(root.get(part), part))
        for name in [name_of(one, f"{part}[{place}]")]
    ]
    return tuple(sorted(layouts, key=lambda one: -len(one.discriminator)))


def _instructions(root: Mapping[str, Any]) -> dict[str, Instruction]:
    found: list[Instruction] = []
    for place, one in enumerate(sequence(root.get("instructions"), "instructions")):
        path = f"instructions[{place}]"
        name = name_of(one, path)
        found.append(
            Instruction(
                name,
                _discriminator(one, path, f"global:{snake(name)}"),
                tuple(_accounts(one.get("accounts"), f"{path}.accounts", ())),
                parse_arguments(one.get("args"), f"{path}.args"),
            )
        )
    return {one.name: one for one in sorted(found, key=lambda one: -len(one.discriminator))}


def _discriminator(entry: Mapping[str, Any], path: str, hashed: str) -> bytes:
    written = entry.get("discriminator")
    if written is None:
        return hashlib.sha256(hashed.encode()).digest()[:DISCRIMINATOR_BYTES]
    return _bytes(written, f"{path}.discriminator")


def _bytes(value: Any, path: str) -> bytes:
    if not isinstance(value, list) or not all(type(one) is int and 0 <= one <= 255 for one in value):
        raise InvalidIdl(path, "must be a list of bytes")
    return bytes(value)


def _accounts(value: Any, path: str, groups: tuple[str, ...]) -> Iterator[AccountItem]:
    if len(groups) > MAX_GROUPS:
        raise InvalidIdl(path, f"has groups nested more than {MAX_GROUPS} levels deep")
    for place, one in enumerate(sequence(value, path)):
        here = f"{path}[{place}]"
        full = (*groups, name_of(one, here))
        if "accounts" in one:
            yield from _accounts(one["accounts"], f"{here}.accounts", full)
        else:
            yield _account(one, here, full)


def _account(one: Mapping[str, Any], path: str, full: tuple[str, ...]) -> AccountItem:
    return AccountItem(
        full,
        writable=bool(one.get("writable", one.get("isMut", False))),
        signer=bool(one.get("signer", one.get("isSigner", False))),
        optional=bool(one.get("optional", one.get("isOptional", False))),
        address=_address(one.get("address"), f"{path}.address"),
        pda=_pda(one.get("pda"), f"{path}.pda"),
    )


def _address(value: Any, path: str) -> str | None:
    if value is None:
        return None
    try:
        return str(Pubkey.from_string(value))
    except (ValueError, TypeError) as error:
        raise InvalidIdl(path, "must be an address") from error


def _pda(value: Any, path: str) -> Pda | None:
    if value is None:
        return None
    pda = mapping(value, path)
    program = pda.get("program", pda.get("programId"))
    return Pda(
        tuple(
            _seed(one, f"{path}.seeds[{place}]")
            for place, one in enumerate(sequence(pda.get("seeds"), f"{path}.seeds"))
        ),
        None if program is None else _seed(program, f"{path}.program"),
    )


def _seed(value: Any, path: str) -> Seed:
    seed = mapping(value, path)
    kind = seed.get("kind")
    if kind == "const":
        written = seed.get("value")
        if "type" in seed:
            return const_seed(seed["type"], written, f"{path}.type")
        return ConstSeed(_bytes(written, f"{path}.value"))
    text = seed.get("path")
    if kind not in ("arg", "account") or not isinstance(text, str):
        return UnknownSeed(f"a seed of kind {kind}")
    parts = text.split(".")
    # Some IDLs hold Rust (`id.unwrap_or(0)`), which only its compiler can evaluate.
    if not all(part and _PATH_CHARACTERS.issuperset(part) for part in parts):
        return UnknownSeed(f"the seed {text}")
    if kind == "arg":
        return ArgSeed(tuple(parts))
    data_type = seed.get("account")
    return AccountSeed(tuple(parts), data_type if isinstance(data_type, str) else None)


def _errors(root: Mapping[str, Any]) -> dict[int, ErrorCode]:
    found: dict[int, ErrorCode] = {}
    for place, one in enumerate(sequence(root.get("errors"), "errors")):
        path = f"errors[{place}]"
        name, code, message = name_of(one, path), one.get("code"), one.get("msg")
        if type(code) is not int:
            raise InvalidIdl(f"{path}.code", "must be a number")
        found[code] = ErrorCode(code, name, message if isinstance(message, str) else "")
    return found
