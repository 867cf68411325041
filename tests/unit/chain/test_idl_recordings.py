"""Real programs' IDLs on real transactions: their events, their instructions, and the addresses that they derive.

The IDLs are not part of this repository (some state no licence): without them these tests are skipped.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import base58
import pytest

from chain.decode.base import Instruction as Called
from chain.decode.base import Unknown
from chain.decode.idl import (
    DecodedData,
    Idl,
    decode_account,
    decode_cpi_event,
    decode_event,
    decode_instruction,
    encode_arguments,
    parse_idl,
)
from chain.decode.idl.encoding import Encoder
from chain.decode.idl.model import AccountItem, ArgSeed, ConstSeed
from chain.decode.idl.names import same_name
from chain.decode.idl.seeds import derive
from chain.decode.logs import attribute
from chain.decode.transaction import read_transaction

IDLS = Path(__file__).parents[4] / "shared" / "recordings" / "idls"

pytestmark = pytest.mark.skipif(not IDLS.is_dir(), reason="the recorded IDLs are not at hand")


@cache
def recorded_idl(name: str, program_id: str) -> Idl:
    return parse_idl(json.loads((IDLS / name).read_text()), program_id)


def assert_same(found: Any, expected: Any) -> None:
    """The recordings write longer integers as text, bytes as hex or numbers, a variant as an object in lower case, and
    names as the newer IDL does."""
    if isinstance(expected, dict) and len(expected) == 1 and isinstance(found, str):
        assert [found.lower()] == [name.lower() for name in expected]
    elif isinstance(expected, dict):
        assert [same_name(name) for name in found] == [same_name(name) for name in expected]
        for mine, other in zip(found.values(), expected.values(), strict=True):
            assert_same(mine, other)
    elif isinstance(expected, list) and isinstance(found, str):
        assert list(base64.b64decode(found)) == expected
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif str(found) != str(expected):
        assert base64.b64decode(found).hex() == expected


def event_bytes(transaction: dict[str, Any], event: dict[str, Any]) -> bytes:
    if event["via"] == "log":
        texts = {line.log_index: line.text for line in attribute(transaction["meta"]["logMessages"])}
        return base64.b64decode(texts[event["logIndex"]])
    inner = {group["index"]: group["instructions"] for group in transaction["meta"]["innerInstructions"]}
    return base58.b58decode(inner[event["instructionIndex"]][event["innerIndex"]]["data"])


def test_recorded_events_are_read_and_written_back_to_the_byte(recording: Any) -> None:
    """Of the log and of self-calls, by old and new IDLs; none has a byte too many."""
    for event in recording.expected["events"]:
        if event.get("idl") is None:
            continue
        data = event_bytes(recording.transaction, event)
        for name in (event["idl"], *(event.get("alsoDecodesWith") or ())):
            idl = recorded_idl(name, event["program"])
            found = decode_event(idl, data) if event["via"] == "log" else decode_cpi_event(idl, data)
            assert isinstance(found, DecodedData), found
            assert (found.name, found.trailing_bytes) == (event["name"], 0)
            assert_same(found.values, event["fields"])
            (layout,) = (one for one in idl.events if one.name == found.name)
            encoder = Encoder(idl.types)
            assert data.endswith(layout.discriminator + encoder.value(layout.type, found.values, "event"))
            assert encoder.problems == []


def test_every_shorter_event_is_unknown_and_every_longer_one_says_so(recording: Any) -> None:
    """What an older or a newer program than the IDL emits."""
    for event in recording.expected["events"]:
        if event.get("idl") is None or event["via"] != "log":
            continue
        idl, data = recorded_idl(event["idl"], event["program"]), event_bytes(recording.transaction, event)
        assert all(isinstance(decode_event(idl, data[:size]), Unknown) for size in range(8, len(data)))
        longer = decode_event(idl, data + b"\0\0")
        assert isinstance(longer, DecodedData)
        assert longer.trailing_bytes == 2


def called_with_an_idl(recording: Any) -> Iterator[tuple[Idl, Called, DecodedData]]:
    names = {event["program"]: event["idl"] for event in recording.expected["events"] if event.get("idl")}
    for called in read_transaction(recording.transaction, with_instructions=True).instructions:
        if called.program_id in names:
            idl = recorded_idl(names[called.program_id], called.program_id)
            found = decode_instruction(idl, called.data)
            if isinstance(found, DecodedData):
                yield idl, called, found


def test_recorded_instructions_are_written_back_to_the_byte(recording: Any) -> None:
    """Their arguments read by the IDL and encoded again; bytes that the IDL does not know are told."""
    for idl, called, found in called_with_an_idl(recording):
        again = encode_arguments(idl, idl.instruction(found.name), found.values)
        assert called.data == again + called.data[len(called.data) - found.trailing_bytes :]


def test_recorded_addresses_are_derived_as_the_programs_did(recording: Any) -> None:
    """Seeds of constants, arguments and accounts give the very accounts of the transaction."""
    for idl, called, found in called_with_an_idl(recording):
        instruction = idl.instruction(found.name)
        named = {item.full_name: address for item, address in zip(instruction.accounts, called.accounts, strict=False)}

        def find_account(path: tuple[str, ...], named: dict[str, str] = named) -> tuple[str, tuple[str, ...]]:
            return named[path[0]], path[1:]

        for item in instruction.accounts:
            if item.pda is None or item.full_name not in named or not derivable(item, named):
                continue
            address = derive(idl, instruction, item.pda, found.values, find_account, lambda address: None)
            assert address == named[item.full_name], (found.name, item.full_name)


def derivable(item: AccountItem, named: dict[str, str]) -> bool:
    """Without the data of accounts, which no transaction holds."""
    assert item.pda is not None
    seeds = [seed for seed in (*item.pda.seeds, item.pda.program) if seed is not None]
    return all(
        isinstance(seed, ConstSeed | ArgSeed) or (len(getattr(seed, "path", ())) == 1 and seed.path[0] in named)
        for seed in seeds
    )


@pytest.mark.parametrize("path", sorted(IDLS.glob("*.json")), ids=lambda path: path.stem)
def test_every_type_of_a_real_idl_is_understood(path: Path) -> None:
    """Zeros are bytes of every type but of an enum without variants: what is not understood would be told."""
    idl = parse_idl(json.loads(path.read_text()), "Vote111111111111111111111111111111111111111")
    zeros = bytes(65_536)
    found = [decode_event(idl, layout.discriminator + zeros) for layout in idl.events]
    found += [decode_account(idl, layout.discriminator + zeros) for layout in idl.accounts]
    assert all(isinstance(one, DecodedData) for one in found), found


def test_hashed_discriminators_are_those_that_the_new_format_writes_down() -> None:
    """One program's IDL in both formats."""
    program = "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK"
    old, new = recorded_idl("raydium_clmm_old.json", program), recorded_idl("raydium_clmm.json", program)

    assert all(new.instruction(one.name).discriminator == one.discriminator for one in old.instructions.values())
    assert {one.name: one.discriminator for one in old.events}.items() <= {
        one.name: one.discriminator for one in new.events
    }.items()
