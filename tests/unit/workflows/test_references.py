"""The rows that a definition names by id, and where."""

from __future__ import annotations

from tests.unit.workflows.definitions import ID, PROGRAM, with_part
from workflows.specs.references import address_lists_named, channels_named, idls_named
from workflows.specs.workflow import parse

LIST = "00000000-0000-4000-8000-000000000001"


def test_every_row_that_a_definition_names_is_found_with_its_places() -> None:
    listed = {"field": "event.data.who", "op": "in_list", "value": LIST}
    spec = parse(
        with_part(
            trigger={"type": "program_log", "program_id": PROGRAM, "event": "E", "idl": ID},
            filter={"any": [listed, {"not": {**listed, "op": "not_in_list"}}]},
            actions=[{"type": "call_program", "program_id": PROGRAM, "idl": ID, "instruction": "go"}],
            notifications=[{"channel": ID, "on": ["success"]}, {"channel": ID, "on": ["failed"]}],
        )
    )
    assert channels_named(spec) == {ID: ["notifications[0].channel", "notifications[1].channel"]}
    assert address_lists_named(spec) == {LIST: ["filter.any[0].value", "filter.any[1].not.value"]}
    assert idls_named(spec) == {ID: ["trigger.idl", "actions[0].idl"]}


def test_a_definition_may_name_nothing() -> None:
    spec = parse({"trigger": {"type": "manual"}})
    assert (channels_named(spec), address_lists_named(spec), idls_named(spec)) == ({}, {}, {})
