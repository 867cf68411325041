"""JSON values to Borsh and back, byte for byte as written by hand, and what is said about values that do not fit."""

from __future__ import annotations

import base64
import struct as packing
from typing import Any

import pytest
from solders.pubkey import Pubkey

from chain.decode.base import Unknown
from chain.decode.idl import (
    ArgumentErrors,
    DecodedData,
    Idl,
    InvalidIdl,
    UnknownName,
    decode_account,
    decode_cpi_event,
    decode_event,
    decode_instruction,
    encode_arguments,
    parse_idl,
)
from tests.unit.chain.idl_documents import ALICE, PROGRAM, enum, new_format, struct, taking

SIDE = enum("Side", "Bid", "Ask")
ORDER = enum(
    "Order", "Cancel", ("Limit", [("price", "u64"), ("side", {"defined": {"name": "Side"}})]), ("Pair", ["u8", "u16"])
)
POINT = struct("Point", ("x", "i16"), ("label", "string"))
TWO = struct("Two", "u8", "bool")
EMPTY = {"name": "Empty", "type": {"kind": "struct"}}
PRICE = {"name": "Price", "type": {"kind": "type", "alias": "u128"}}
BOXED = struct(
    "Boxed",
    ("items", {"array": [{"generic": "T"}, {"generic": "N"}]}),
    generics=[{"kind": "type", "name": "T"}, {"kind": "const", "name": "N", "type": "usize"}],
)
CRATE = struct(
    "Crate",
    (
        "inner",
        {
            "defined": {
                "name": "Boxed",
                "generics": [{"kind": "type", "type": {"generic": "T"}}, {"kind": "const", "value": "N"}],
            }
        },
    ),
    generics=[{"kind": "type", "name": "T"}, {"kind": "const", "name": "N", "type": "usize"}],
)
TICK = {"name": "Tick", "type": {"kind": "type", "alias": "i16"}}
TYPES = (TICK, SIDE, ORDER, POINT, TWO, EMPTY, PRICE, BOXED, CRATE)


def defined(name: str, *generics: dict[str, Any]) -> dict[str, Any]:
    return {"defined": {"name": name, "generics": list(generics)} if generics else {"name": name}}


def idl_taking(kind: Any) -> Idl:
    return parse_idl(taking(kind, *TYPES), PROGRAM)


def encoded(kind: Any, value: Any) -> bytes:
    idl = idl_taking(kind)
    data = encode_arguments(idl, idl.instruction("go"), {"value": value})
    assert data[:1] == b"\x07"
    return data[1:]


def refused(kind: Any, value: Any) -> str:
    with pytest.raises(ArgumentErrors) as caught:
        encoded(kind, value)
    return str(caught.value)


def decoded(kind: Any, data: bytes) -> Any:
    found = decode_instruction(idl_taking(kind), b"\x07" + data)
    assert isinstance(found, DecodedData), found
    assert found.trailing_bytes == 0
    return found.values["value"]


OF_U8_4 = [{"kind": "type", "type": "u8"}, {"kind": "const", "value": "4"}]
OF_U16_2 = [{"kind": "type", "type": "u16"}, {"kind": "const", "value": "2"}]

VECTORS: list[tuple[Any, Any, str]] = [
    ("u8", 255, "ff"),
    ("i8", -1, "ff"),
    ("u16", 258, "0201"),
    ("i32", -2, "feffffff"),
    ("u64", 2**64 - 1, "ffffffffffffffff"),
    ("i64", -(2**63), "0000000000000080"),
    ("u128", str(2**64), "00000000000000000100000000000000"),
    ("i128", "-1", "ff" * 16),
    ("u256", "1", "01" + "00" * 31),
    ("i256", str(-(2**255)), "00" * 31 + "80"),
    ("bool", True, "01"),
    ("f32", 0.5, "0000003f"),
    ("f64", -0.5, "000000000000e0bf"),
    ("f64", "Infinity", "000000000000f07f"),
    ("string", "hé", "03000000" + "68c3a9"),
    ("bytes", base64.b64encode(b"\1\2").decode(), "02000000" + "0102"),
    ({"vec": "u8"}, "AQI=", "02000000" + "0102"),
    ({"array": ["u8", 2]}, "AQI=", "0102"),
    ("pubkey", PROGRAM, bytes(Pubkey.from_string(PROGRAM)).hex()),
    ("publicKey", ALICE, bytes(Pubkey.from_string(ALICE)).hex()),
    ({"option": "u16"}, None, "00"),
    ({"option": "u16"}, 3, "01" + "0300"),
    ({"coption": "u16"}, None, "00000000" + "0000"),
    ({"coption": "u16"}, 3, "01000000" + "0300"),
    ({"vec": "u16"}, [1, 2], "02000000" + "01000200"),
    ({"array": ["u16", 2]}, [1, 2], "01000200"),
    ({"array": [{"array": ["u16", 1]}, 2]}, [[1], [2]], "01000200"),
    ({"tuple": ["u8", "bool"]}, [5, False], "0500"),
    (
        {"hashMap": ["string", "u8"]},
        {"b": 2, "aa": 1},
        "02000000" + "02000000" + "6161" + "01" + "01000000" + "62" + "02",
    ),
    ({"bTreeMap": ["i8", "bool"]}, {"-2": True, "1": False}, "02000000" + "fe01" + "0100"),
    ({"bTreeMap": [{"tuple": ["u8", "u8"]}, "u8"]}, [[[1, 2], 3]], "01000000" + "010203"),
    ({"bTreeMap": [defined("Tick"), "bool"]}, {"-256": True, "1": False}, "02000000" + "00ff01" + "010000"),
    (defined("Side"), "Ask", "01"),
    (defined("Order"), "Cancel", "00"),
    (defined("Order"), {"Limit": {"price": 1, "side": "Bid"}}, "01" + "0100000000000000" + "00"),
    (defined("Order"), {"Pair": [1, 2]}, "02" + "01" + "0200"),
    (defined("Point"), {"x": -1, "label": ""}, "ffff" + "00000000"),
    (defined("Two"), [1, True], "0101"),
    (defined("Empty"), {}, ""),
    (defined("Price"), "7", "07" + "00" * 15),
    (defined("Boxed", *OF_U8_4), {"items": "AQIDBA=="}, "01020304"),
    (defined("Crate", *OF_U16_2), {"inner": {"items": [1, 2]}}, "01000200"),
    ({"defined": "Side"}, "Bid", "00"),
]


@pytest.mark.parametrize(("kind", "value", "data"), VECTORS)
def test_a_value_is_written_as_borsh_writes_it_and_read_back(kind: Any, value: Any, data: str) -> None:
    """Each type of both formats, byte for byte."""
    assert encoded(kind, value).hex() == data
    assert decoded(kind, bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    ("kind", "value", "same_as"),
    [
        ("u64", "18446744073709551615", 2**64 - 1),
        ("u128", 2**100, str(2**100)),
        ("bool", "true", True),
        ("f64", "0.5", 0.5),
        ("f64", 2, 2.0),
        ("bytes", [1, 2], "AQI="),
        ({"array": ["u8", 2]}, [1, 2], "AQI="),
        (defined("Side"), "ask", "Ask"),
        (defined("Side"), {"ask": {}}, "Ask"),
        (defined("Order"), {"limit": {"price": "1", "side": "bid"}}, {"Limit": {"price": 1, "side": "Bid"}}),
        (defined("Empty"), None, {}),
        ({"hashMap": ["string", "u8"]}, [["a", 1]], {"a": 1}),
    ],
)
def test_a_value_may_be_written_in_more_than_one_way(kind: Any, value: Any, same_as: Any) -> None:
    """Decimal texts, because templates render text; lists of bytes; names of variants in either spelling."""
    assert encoded(kind, value) == encoded(kind, same_as)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("u8", 256, "args.value: must be a whole number from 0 to 255 (u8), not 256"),
        ("u8", -1, "from 0 to 255"),
        ("u64", 1.0, "not 1.0"),
        ("u64", True, "not true"),
        ("u64", "1.5", 'not "1.5"'),
        ("u64", None, "not null"),
        ("i8", 128, "from -128 to 127 (i8)"),
        ("bool", 1, "must be true or false, not 1"),
        ("f32", 1e300, "must be a number (f32)"),
        ("f64", True, "must be a number (f64)"),
        ("string", 5, "must be text, not 5"),
        ("bytes", "é", "base64"),
        ("bytes", [256], "list of numbers from 0 to 255"),
        ({"array": ["u8", 3]}, "AQI=", "must be 3 bytes"),
        ("pubkey", "nobody", "must be an address"),
        ({"array": ["u16", 2]}, [1], "must be a list of 2, not a list of 1"),
        ({"vec": "u16"}, {"a": 1}, "must be a list, not an object"),
        ({"vec": "u16"}, [1, -1], "args.value[1]: must be a whole number from 0 to 65535"),
        ({"tuple": ["u8", "bool"]}, [1], "must be a list of 2"),
        ({"hashMap": ["string", "u8"]}, {"a": 300}, "args.value.a: must be a whole number"),
        ({"hashMap": ["u8", "u8"]}, [[1, 1], ["1", 2]], "args.value.1: is a key twice"),
        (defined("Side"), "Bud", "must be a variant of Side (Bid, Ask)"),
        (defined("Side"), {"Bid": 1, "Ask": 2}, "must be a variant of Side"),
        (defined("Side"), {"Bid": {"x": 1}}, "Bid has no fields"),
        (defined("Order"), {"Limit": {"price": 1}}, "args.value.Limit.side: is missing (Side)"),
        (defined("Order"), "Limit", "args.value.Limit: must be an object with price, side"),
        (
            defined("Point"),
            {"x": 1, "label": "", "lable": ""},
            "args.value.lable: is not expected; did you mean label?",
        ),
        (defined("Point"), {"x": 1, "X": 1, "label": ""}, "args.value.X: is given twice"),
        (defined("Point"), [1, ""], "must be an object with x, label"),
        (defined("Nowhere"), 1, "the IDL does not define the type Nowhere"),
        ("u512", 1, "the type u512 is not known"),
        ({"coption": {"array": [{"array": ["u64", 10_000_000]}, 10_000_000]}}, None, "which no transaction has"),
        (defined("Boxed"), {"items": []}, "has 2 generics, and is used with 0"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_path_and_what_fits(kind: Any, value: Any, words: str) -> None:
    """What came, what is allowed, and where."""
    assert words in refused(kind, value)


def test_everything_that_is_wrong_with_arguments_is_said_at_once() -> None:
    """A person fixes a call in one go."""
    args = [
        {"name": "fee_bps", "type": "u16"},
        {"name": "to", "type": "pubkey"},
        {"name": "note", "type": {"option": "string"}},
    ]
    go = {"name": "go", "discriminator": [1], "accounts": [], "args": args}
    idl = parse_idl(new_format(instructions=[go]), PROGRAM)

    with pytest.raises(ArgumentErrors) as caught:
        encode_arguments(idl, idl.instruction("go"), {"feeBps": 70_000, "two": 1})

    assert [problem.path for problem in caught.value.problems] == ["args.two", "args.fee_bps", "args.to"]
    assert "did you mean to?" in caught.value.problems[0].detail


def test_an_option_that_is_left_out_is_null() -> None:
    """Nothing else may be left out."""
    go = {"name": "go", "discriminator": [], "accounts": [], "args": [{"name": "note", "type": {"option": "u8"}}]}
    idl = parse_idl(new_format(instructions=[go]), PROGRAM)

    assert encode_arguments(idl, idl.instruction("go"), {}) == b"\0"


def test_names_are_found_in_either_spelling_and_a_wrong_one_lists_what_there_is() -> None:
    """IDLs before 0.30 spell in camelCase, later ones in snake_case."""
    idl = parse_idl({"instructions": [{"name": "swapV2", "accounts": [], "args": []}]}, PROGRAM)

    assert idl.instruction("swap_v2") is idl.instruction("swapV2")
    with pytest.raises(UnknownName, match="did you mean swapV2"):
        idl.instruction("swap_v3")


def test_before_0_30_discriminators_are_hashes_of_names() -> None:
    """sha256("global:initialize")[:8], as every Anchor program checks it."""
    idl = parse_idl({"instructions": [{"name": "initialize", "accounts": [], "args": []}]}, PROGRAM)

    assert idl.instruction("initialize").discriminator.hex() == "afaf6d1f0d989bed"


def test_a_longer_discriminator_wins_over_a_shorter_one_that_it_begins_with() -> None:
    """Discriminators have any length since 0.30."""
    short = {"name": "short", "discriminator": [1], "accounts": [], "args": []}
    long = {"name": "long", "discriminator": [1, 2], "accounts": [], "args": []}
    idl = parse_idl(new_format(instructions=[short, long]), PROGRAM)

    names = [decode_instruction(idl, data) for data in (b"\1\2", b"\1", b"\1\3", b"\2")]

    assert names == [
        DecodedData("long", {}),
        DecodedData("short", {}),
        DecodedData("short", {}, trailing_bytes=1),
        None,
    ]


def test_an_event_shorter_than_its_idl_is_unknown_and_says_where_it_ends() -> None:
    """An older program's event: reading on would invent zeros."""
    idl = parse_idl(taking("u64", *TYPES), PROGRAM)

    assert decode_event(idl, b"\x09" + bytes(7)) == Unknown(PROGRAM, "Told: the data ends in value")


def test_an_event_longer_than_its_idl_tells_the_bytes_that_follow() -> None:
    """A newer program's event."""
    idl = parse_idl(taking("u8", *TYPES), PROGRAM)

    assert decode_event(idl, b"\x09\x01\xaa\xbb") == DecodedData("Told", {"value": 1}, trailing_bytes=2)


def test_an_event_of_a_self_call_is_read_behind_its_tag() -> None:
    """emit_cpi! puts the tag e445a52e51cb9a1d before what emit! logs."""
    idl = parse_idl(taking("u8", *TYPES), PROGRAM)

    assert decode_cpi_event(idl, bytes.fromhex("e445a52e51cb9a1d") + b"\x09\x05") == DecodedData("Told", {"value": 5})
    assert decode_cpi_event(idl, b"\x09\x05") is None


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("bool", b"\2", "neither 0 nor 1"),
        ({"option": "u8"}, b"\2\1", "neither 0 nor 1"),
        ("string", b"\1\0\0\0\xff", "no UTF-8"),
        ("string", b"\xff\xff\xff\xff", "value counts 4294967295 items, and 0 bytes follow"),
        ({"vec": "u16"}, b"\x02\0\0\0\1\0\2", "the data ends in value[1]"),
        ({"vec": defined("Empty")}, b"\xff\xff\xff\xff", "value counts 4294967295 items"),
        ({"array": [defined("Empty"), 10_000_000]}, b"", "has no end"),
        (defined("Side"), b"\2", "value is variant 2 of Side, which has 2"),
        ({"hashMap": ["u8", "u8"]}, b"\2\0\0\0\1\1\1\1", "a key twice"),
        ("u512", b"\0", "the type u512 is not known"),
        (defined("Nowhere"), b"\0", "does not define the type Nowhere"),
    ],
)
def test_bytes_that_cannot_be_the_type_are_unknown(kind: Any, data: bytes, why: str) -> None:
    """Never an exception."""
    found = decode_event(idl_taking(kind), b"\x09" + data)

    assert isinstance(found, Unknown)
    assert why in found.reason


def test_a_type_that_contains_itself_has_an_end() -> None:
    """A document may be hostile: neither reading nor writing runs for ever."""
    loop = struct("Loop", ("again", defined("Loop")))
    alias = {"name": "Alias", "type": {"kind": "type", "alias": defined("Alias")}}
    for kind in (defined("Loop"), defined("Alias")):
        idl = parse_idl(taking(kind, loop, alias), PROGRAM)
        assert isinstance(decode_event(idl, b"\x09" + bytes(64)), Unknown)
    idl = parse_idl(taking(defined("Alias"), alias), PROGRAM)
    with pytest.raises(ArgumentErrors, match="levels deep"):
        encode_arguments(idl, idl.instruction("go"), {"value": 1})


def test_generics_that_grow_with_each_level_have_an_end() -> None:
    """Rec<T> that holds a Rec<(T, T)> doubles each time."""
    twice = {"tuple": [{"generic": "T"}, {"generic": "T"}]}
    deeper = {"option": defined("Rec", {"kind": "type", "type": twice})}
    rec = struct("Rec", ("next", deeper), generics=[{"kind": "type", "name": "T"}])
    idl = parse_idl(taking(defined("Rec", {"kind": "type", "type": "u8"}), rec), PROGRAM)

    found = decode_event(idl, b"\x09" + b"\1" * 60)

    assert isinstance(found, Unknown)
    assert "the generics of Rec have no end" in found.reason


def test_a_packed_option_of_what_contains_itself_has_no_size_to_reserve() -> None:
    """Asking for the size of such a type ends too."""
    tree = struct("Tree", ("left", defined("Tree")), ("right", defined("Tree")))
    idl = parse_idl(taking({"coption": defined("Tree")}, tree), PROGRAM)

    assert encode_arguments(idl, idl.instruction("go"), {"value": None}) == b"\7" + bytes(4)


@pytest.mark.parametrize(
    ("layout", "understood"),
    [
        ({}, True),
        ({"serialization": "bytemuck", "repr": {"kind": "c"}}, True),
        ({"serialization": "bytemuckunsafe", "repr": {"kind": "c", "packed": True}}, True),
        ({"serialization": "bytemuckunsafe", "repr": {"kind": "c"}}, False),
        ({"serialization": {"custom": "wincode"}}, False),
    ],
)
def test_a_type_that_is_not_laid_out_as_borsh_is_not_guessed(layout: dict[str, Any], understood: bool) -> None:
    """Between the fields of a C struct there may be padding, which the document does not tell."""
    padded = struct("Padded", ("flag", "u8"), ("amount", "u64"), **layout)
    idl = parse_idl(taking(defined("Padded"), padded), PROGRAM)

    assert isinstance(decode_event(idl, b"\x09" + bytes(16)), DecodedData if understood else Unknown)


def test_not_a_number_is_a_word_in_json() -> None:
    """JSON has no NaN, and PostgreSQL's jsonb neither."""
    assert decoded("f32", packing.pack("<f", float("nan"))) == "NaN"
    assert decoded("f64", packing.pack("<d", float("-inf"))) == "-Infinity"


def test_an_account_of_both_formats_is_read_with_the_room_behind_it_told() -> None:
    """Before 0.30 the type stands with the account, later among the types."""
    fields = {"kind": "struct", "fields": [{"name": "owner", "type": "publicKey"}]}
    old = parse_idl({"instructions": [], "accounts": [{"name": "Pool", "type": fields}]}, PROGRAM)
    new = parse_idl(
        new_format(
            accounts=[{"name": "Pool", "discriminator": [241, 154, 109, 4, 17, 177, 109, 188]}],
            types=[{"name": "Pool", "type": fields}],
        ),
        PROGRAM,
    )
    data = bytes([241, 154, 109, 4, 17, 177, 109, 188]) + bytes(Pubkey.from_string(ALICE)) + bytes(8)

    for idl in (old, new):
        assert decode_account(idl, data) == DecodedData("Pool", {"owner": ALICE}, trailing_bytes=8)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ""),
        ({"instructions": {}}, "instructions"),
        ({"instructions": [{"name": "x", "discriminator": [256]}]}, "instructions[0].discriminator"),
        ({"instructions": [], "types": [{"name": "T"}]}, "types[0].type"),
        (
            {"instructions": [], "types": [struct("T", ("a", {"array": ["u8", -1]}))]},
            "types[0].type.fields[0].type.array[1]",
        ),
        ({"instructions": [], "types": [struct("T", ("a", 5))]}, "types[0].type.fields[0].type"),
        ({"instructions": [], "errors": [{"name": "E"}]}, "errors[0].code"),
        (
            {"instructions": [{"name": "x", "accounts": [{"name": "a", "address": "b"}]}]},
            "instructions[0].accounts[0].address",
        ),
    ],
)
def test_a_document_that_is_no_idl_is_refused_with_the_place(document: Any, path: str) -> None:
    """What is only unknown is not refused: it is told where it is used."""
    with pytest.raises(InvalidIdl) as caught:
        parse_idl(document, PROGRAM)
    assert caught.value.path == path


def test_a_document_with_an_empty_spec_and_empty_generics_is_an_idl() -> None:
    """As one real program's is."""
    kind = {"defined": {"name": "Two", "generics": []}}
    document = taking(kind, {**TWO, "generics": []}) | {"metadata": {"name": "x", "spec": ""}}

    idl = parse_idl(document, PROGRAM)

    assert encode_arguments(idl, idl.instruction("go"), {"value": [1, True]}) == b"\x07\1\1"
