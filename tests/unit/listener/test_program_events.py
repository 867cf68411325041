"""Anchor events of a transaction: each once, and only the program's own words."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from chain.decode.base import Instruction
from chain.decode.idl import parse_idl
from chain.decode.idl.decoding import CPI_EVENT_TAG
from chain.decode.logs import attribute
from chain.decode.transaction import read_transaction
from listener.program_events import Emitter, emitted_by_call, emitted_by_log
from tests.unit.chain.conftest import NAMES, Recording

PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
OTHER = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
IDLS = Path(__file__).parents[4] / "shared" / "recordings" / "idls"


def emitter() -> Emitter:
    document = {
        "address": PROGRAM,
        "metadata": {"name": "payer", "version": "1.0.0", "spec": "0.1.0"},
        "instructions": [{"name": "pay", "discriminator": [9], "accounts": [], "args": []}],
        "events": [{"name": "FeePaid", "discriminator": [1]}, {"name": "Moved", "discriminator": [2]}],
        "types": [
            {"name": name, "type": {"kind": "struct", "fields": [{"name": "amount", "type": "u8"}]}}
            for name in ("FeePaid", "Moved")
        ],
    }
    return Emitter(parse_idl(document, PROGRAM))


def logged(*events: bytes, program: str = PROGRAM) -> list[str]:
    lines = [f"Program data: {base64.b64encode(raw).decode()}" for raw in events]
    return [f"Program {program} invoke [1]", *lines, f"Program {program} success"]


def called(raw: bytes, program: str = PROGRAM, height: int | None = 2) -> Instruction:
    return Instruction(program, (), CPI_EVENT_TAG + raw, 0, 0, height)


def top(program: str) -> Instruction:
    return Instruction(program, (), b"", 0, None, 1)


def index(raw: bytes, n: int) -> str:
    return f"ev.{hashlib.sha256(raw).hexdigest()[:16]}.{n}"


def test_an_event_is_known_by_its_bytes_and_how_often_they_came_before() -> None:
    found = emitted_by_log(emitter(), "FeePaid", attribute(logged(b"\1\5", b"\1\6", b"\2\5", b"\1\5")))

    assert [(one.index, one.name, one.data) for one in found] == [
        (index(b"\1\5", 0), "FeePaid", {"amount": 5}),
        (index(b"\1\6", 0), "FeePaid", {"amount": 6}),
        (index(b"\1\5", 1), "FeePaid", {"amount": 5}),
    ]


def test_by_log_and_by_self_call_it_is_the_same_event() -> None:
    by_log = emitted_by_log(emitter(), "FeePaid", attribute(logged(b"\1\5", b"\1\5")))
    by_call = emitted_by_call(emitter(), "FeePaid", [top(PROGRAM), called(b"\1\5"), called(b"\1\5")])

    assert by_log == by_call


@pytest.mark.parametrize("spelled", ["FeePaid", "feePaid", "fee_paid"])
def test_an_event_is_found_in_either_spelling(spelled: str) -> None:
    (found,) = emitted_by_log(emitter(), spelled, attribute(logged(b"\1\5")))

    assert found.name == "FeePaid"


def test_the_same_bytes_of_another_program_are_no_event() -> None:
    assert emitted_by_log(emitter(), "FeePaid", attribute(logged(b"\1\5", program=OTHER))) == []
    assert emitted_by_call(emitter(), "FeePaid", [top(OTHER), called(b"\1\5", OTHER)]) == []


def test_what_others_call_a_program_with_is_not_its_own_word() -> None:
    direct = Instruction(PROGRAM, (), CPI_EVENT_TAG + b"\1\5", 0, None, 1)
    deeper = [top(PROGRAM), called(b"", OTHER, 2), called(b"\1\5", PROGRAM, 3)]

    assert emitted_by_call(emitter(), "FeePaid", [direct]) == []
    assert emitted_by_call(emitter(), "FeePaid", [top(OTHER), called(b"\1\5")]) == []
    assert emitted_by_call(emitter(), "FeePaid", deeper) == []


def test_a_self_call_is_known_at_any_depth_and_after_others() -> None:
    ran = [top(OTHER), called(b"", PROGRAM, 2), called(b"", OTHER, 3), called(b"\1\5", PROGRAM, 3)]

    assert [one.data for one in emitted_by_call(emitter(), "FeePaid", ran)] == [{"amount": 5}]


def test_a_node_that_tells_no_heights_is_believed() -> None:
    assert len(emitted_by_call(emitter(), "FeePaid", [top(OTHER), called(b"\1\5", height=None)])) == 1


def test_an_event_of_another_version_than_its_idl_is_told_with_its_bytes() -> None:
    (found,) = emitted_by_log(emitter(), "FeePaid", attribute(logged(b"\1")))

    assert found.name == "FeePaid"
    assert found.data["data_base64"] == base64.b64encode(b"\1").decode()
    assert "amount" in found.data["unknown"]


def test_a_line_that_is_no_base64_is_no_event() -> None:
    lines = [
        f"Program {PROGRAM} invoke [1]",
        "Program data: AQU= AQU=",
        "Program data: §",
        f"Program {PROGRAM} success",
    ]

    assert emitted_by_log(emitter(), "FeePaid", attribute(lines)) == []


@pytest.mark.parametrize("height", [1, 4, 9])
def test_a_call_whose_caller_is_not_told_is_nobody_s_word(height: int) -> None:
    ran = [top(PROGRAM), called(b"\1\5", height=height), called(b"\1\6", height=3)]

    assert emitted_by_call(emitter(), "FeePaid", ran) == []


def recorded_events() -> list[Any]:
    found = []
    for name in NAMES:
        events = Recording(name).expected["events"]
        for program, idl in sorted({(event["program"], event["idl"]) for event in events if event.get("idl")}):
            names = sorted({event["name"] for event in events if event["program"] == program})
            found += [pytest.param(name, program, idl, event, id=f"{name}-{event}") for event in names]
    return found


@pytest.mark.skipif(not IDLS.is_dir(), reason="the recorded IDLs are not at hand")
@pytest.mark.parametrize(("name", "program", "idl", "event"), recorded_events())
def test_recorded_events_are_found_by_the_way_that_they_were_emitted(
    name: str, program: str, idl: str, event: str
) -> None:
    """Programs that emit both ways say the same on each, so that the two are one."""
    recording = Recording(name)
    source = Emitter(parse_idl(json.loads((IDLS / idl).read_text()), program))
    transaction = read_transaction(recording.transaction, with_instructions=True)
    ways = [one["via"] for one in recording.expected["events"] if (one["program"], one["name"]) == (program, event)]

    by_log = emitted_by_log(source, event, attribute(transaction.logs))
    by_call = emitted_by_call(source, event, transaction.instructions)

    assert (len(by_log), len(by_call)) == (ways.count("log"), len(ways) - ways.count("log"))
    if by_log and by_call:
        assert {one.index for one in by_log} == {one.index for one in by_call}
