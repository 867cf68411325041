"""The format of an export, and names for what comes out of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from tests.unit.workflows.definitions import ALICE, ID
from workflows.specs.errors import SpecErrors
from workflows.specs.exchange import MAX_FILE_BYTES, ids_in, parse_export, read_export, with_ids
from workflows.specs.names import free_name
from workflows.specs.storable_json import NotStorable, loads

OTHER = "00000000-0000-4000-8000-000000000001"


def refused(document: Any) -> dict[str, str]:
    with pytest.raises(SpecErrors) as caught:
        parse_export(document)
    return {problem.path: problem.code for problem in caught.value.errors}


def export(**parts: Any) -> dict[str, Any]:
    return {"solflow": 1, "workflows": [], **parts}


@pytest.mark.parametrize("document", [None, [], "text", 1, {}, {"schema": 1, "trigger": {"type": "manual"}}])
def test_what_is_no_export_is_refused_as_such(document: Any) -> None:
    assert refused(document) == {"": "not_an_export"}


@pytest.mark.parametrize("version", [0, 2, "1", True, None, 1.0])
def test_a_version_that_this_solflow_does_not_read_is_refused(version: Any) -> None:
    assert refused(export(solflow=version)) == {"solflow": "unknown_schema"}


def test_everything_wrong_is_told_at_once_with_its_path() -> None:
    document = export(
        workflows=[{}, "pay"],
        chanels=[],
        channels=[{"id": "x", "name": "", "type": "discord"}],
        signers=[{"id": ID, "name": "treasury", "address": "nobody"}],
        address_lists=[{"id": ID, "name": "vips", "entries": [{"address": ALICE}, {"address": ALICE}]}],
        idls=[{"id": ID, "name": "x", "program_id": ALICE}],
    )
    assert refused(document) == {
        "workflows[1]": "wrong_type",
        "chanels": "unknown_key",
        "channels[0].id": "not_an_id",
        "channels[0].name": "too_short",
        "signers[0].address": "not_an_address",
        "address_lists[0].entries": "repeated",
        "idls[0].document": "required",
    }


def test_two_rows_of_one_id_are_refused() -> None:
    row = {"id": ID, "name": "ops", "type": "discord"}
    assert refused(export(channels=[row, {**row, "id": ID.upper()}])) == {"channels": "repeated"}


def test_more_than_a_thousand_workflows_are_refused() -> None:
    assert refused(export(workflows=[{}] * 1001)) == {"workflows": "too_long"}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b'{"solflow": 1, "workflows": [', "cannot be parsed at line 1"),
        (b"\xff\xfe", "is not UTF-8"),
        (b'{"solflow": 1, "solflow": 1}', "same key twice"),
        (b'{"solflow": NaN}', "NaN is not JSON"),
        (b'{"solflow": 1, "network": "\\u0000"}', "NUL"),
        (b"[" * 100_000, "cannot be parsed"),
        (b" " * (MAX_FILE_BYTES + 1), "larger than 16 MiB"),
    ],
)
def test_a_file_that_is_no_storable_json_is_refused_in_one_sentence(raw: bytes, why: str) -> None:
    with pytest.raises(SpecErrors, match=why) as caught:
        read_export(raw)
    assert len(caught.value.errors) == 1


@pytest.mark.parametrize("depth", [300, 600, 900, 5000])
def test_a_deep_text_with_escapes_crashes_nothing(depth: int) -> None:
    with suppress(NotStorable):
        loads(b"[" * depth + b'"\\u0041"' + b"]" * depth)


def test_ids_are_found_and_exchanged_wherever_they_are_a_value_of_their_own() -> None:
    definition = {
        "filter": {"all": [{"not": {"op": "in_list", "value": ID.upper()}}]},
        "notifications": [{"channel": ID, "message": f"see {ID}"}],
    }
    assert set(ids_in(definition)) == {ID}
    assert with_ids(definition, {ID: OTHER}) == {
        "filter": {"all": [{"not": {"op": "in_list", "value": OTHER}}]},
        "notifications": [{"channel": OTHER, "message": f"see {ID}"}],
    }


def test_a_document_nested_beyond_measure_is_left_alone() -> None:
    deep: Any = ID
    for _ in range(5000):
        deep = [deep]
    assert list(ids_in(deep)) == []
    with_ids(deep, {ID: OTHER})


@pytest.mark.parametrize(
    ("name", "taken", "given"),
    [
        ("pay", [], "pay"),
        ("pay ", ["pay"], "pay (2)"),
        ("pay", ["pay", "pay (2)"], "pay (3)"),
        ("pay (2)", ["pay (2)"], "pay (3)"),
        ("pay (7)", ["pay"], "pay (7)"),
        ("n" * 200, ["n" * 200], "n" * 196 + " (2)"),
    ],
)
def test_a_taken_name_gets_the_first_free_number(name: str, taken: list[str], given: str) -> None:
    assert free_name(name, taken) == given
