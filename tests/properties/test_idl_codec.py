"""The IDL codec on types that nobody thought of: what is written is read back, and no bytes make it raise."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from chain.decode.base import Unknown
from chain.decode.idl import (
    ArgumentErrors,
    DecodedData,
    InvalidIdl,
    decode_account,
    decode_cpi_event,
    decode_event,
    decode_instruction,
    encode_arguments,
    parse_idl,
)

PROGRAM = "Vote111111111111111111111111111111111111111"
Typed = tuple[Any, st.SearchStrategy[Any]]

# A type as a document writes it, with the values that it has as decoded JSON.
INTEGERS: dict[str, st.SearchStrategy[Any]] = {
    **{f"u{bits}": st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    **{f"i{bits}": st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"u{bits}": st.integers(0, 2**bits - 1).map(str) for bits in (128, 256)},
    **{f"i{bits}": st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).map(str) for bits in (128, 256)},
}
BYTES = st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode())
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    **INTEGERS,
    "bool": st.booleans(),
    "f64": st.floats(allow_nan=False, allow_infinity=False),
    "f32": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    "bytes": BYTES,
    "pubkey": st.binary(min_size=32, max_size=32).map(lambda raw: str(Pubkey.from_bytes(raw))),
}


def plain() -> st.SearchStrategy[Typed]:
    return st.sampled_from(sorted(PLAIN)).map(lambda name: (name, PLAIN[name]))


def wrapped(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    # An option of an option has two nothings, and JSON one.
    some = inner.filter(lambda one: not (isinstance(one[0], dict) and "option" in one[0]))
    return st.one_of(
        some.map(lambda one: ({"option": one[0]}, st.none() | one[1])),
        inner.filter(lambda one: one[0] != "u8").map(lambda one: ({"vec": one[0]}, st.lists(one[1], max_size=3))),
        inner.filter(lambda one: one[0] != "u8").map(
            lambda one: ({"array": [one[0], 2]}, st.lists(one[1], min_size=2, max_size=2))
        ),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda many: ({"tuple": [one[0] for one in many]}, st.tuples(*(one[1] for one in many)).map(list))
        ),
        inner.map(
            lambda one: (
                {"hashMap": ["string", one[0]]},
                st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), one[1], max_size=3),
            )
        ),
        inner.map(
            lambda one: (
                {"bTreeMap": ["u16", one[0]]},
                st.dictionaries(st.integers(0, 65_535).map(str), one[1], max_size=3),
            )
        ),
    )


TYPES = st.recursive(plain(), wrapped, max_leaves=8)


def document(kinds: list[Any]) -> dict[str, Any]:
    """Each type as an argument, as a field of an event's struct and of an enum's variant."""
    fields = [{"name": f"field_{place}", "type": kind} for place, kind in enumerate(kinds)]
    choice = {
        "kind": "enum",
        "variants": [{"name": "None"}, {"name": "Some", "fields": fields}, {"name": "Bare", "fields": kinds}],
    }
    arguments = [*fields, {"name": "choice", "type": {"defined": {"name": "Choice"}}}]
    return {
        "address": PROGRAM,
        "metadata": {"spec": "0.1.0"},
        "instructions": [{"name": "go", "discriminator": [1], "accounts": [], "args": arguments}],
        "events": [{"name": "Told", "discriminator": [2, 3]}],
        "accounts": [{"name": "Kept", "discriminator": [4]}],
        "types": [
            {"name": "Choice", "type": choice},
            {"name": "Told", "type": {"kind": "struct", "fields": arguments}},
            {"name": "Kept", "type": {"kind": "struct", "fields": fields}},
        ],
    }


@given(st.lists(TYPES, min_size=1, max_size=3), st.data())
def test_what_is_written_is_read_back(kinds: list[Typed], data: st.DataObject) -> None:
    """Values in the form in which they are read are written to bytes that read the same."""
    idl = parse_idl(document([kind for kind, _ in kinds]), PROGRAM)
    values = {f"field_{place}": data.draw(strategy) for place, (_, strategy) in enumerate(kinds)}
    named = {"Some": {f"field_{place}": data.draw(strategy) for place, (_, strategy) in enumerate(kinds)}}
    bare = {"Bare": [data.draw(strategy) for _, strategy in kinds]}
    values["choice"] = data.draw(st.sampled_from(["None", named, bare]))

    written = encode_arguments(idl, idl.instruction("go"), values)

    assert decode_instruction(idl, written) == DecodedData("go", values)


@given(st.lists(TYPES, min_size=1, max_size=3), st.binary(max_size=200))
def test_no_bytes_make_a_decoder_raise(kinds: list[Typed], data: bytes) -> None:
    """Decoded, unknown, or none of this IDL's."""
    idl = parse_idl(document([kind for kind, _ in kinds]), PROGRAM)
    tag = bytes.fromhex("e445a52e51cb9a1d")
    for found in (
        decode_event(idl, b"\2\3" + data),
        decode_cpi_event(idl, tag + b"\2\3" + data),
        decode_account(idl, b"\4" + data),
        decode_instruction(idl, b"\1" + data),
    ):
        assert isinstance(found, DecodedData | Unknown)
    assert decode_event(idl, data) is None or data.startswith(b"\2\3")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.lists(TYPES, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(["field_0", "field_1", "choice", "x"]), JSON),
)
def test_arguments_are_written_or_refused(kinds: list[Typed], args: dict[str, Any]) -> None:
    """Whatever JSON comes, nothing but ArgumentErrors."""
    idl = parse_idl(document([kind for kind, _ in kinds]), PROGRAM)
    try:
        written = encode_arguments(idl, idl.instruction("go"), args)
    except ArgumentErrors as error:
        assert all(problem.path.startswith("args") for problem in error.problems)
    else:
        found = decode_instruction(idl, written)
        assert isinstance(found, DecodedData)
        assert found.trailing_bytes == 0


PARTS = (
    "name",
    "type",
    "kind",
    "fields",
    "variants",
    "generics",
    "defined",
    "array",
    "vec",
    "option",
    "accounts",
    "args",
)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-2, 300) | st.sampled_from([*PARTS, "struct", "enum", "u8", "x"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*PARTS, "pda", "seeds", "path", "value", "discriminator"]), inner, max_size=4
            )
        ),
        max_leaves=15,
    ),
    st.sampled_from(["instructions", "types", "events", "accounts", "errors"]),
)
def test_a_document_is_an_idl_or_refused(part: Any, name: str) -> None:
    """Whatever stands in a part of it, nothing but InvalidIdl."""
    try:
        parse_idl({"instructions": [], name: [part]}, PROGRAM)
    except InvalidIdl as error:
        assert error.path.startswith(name)
