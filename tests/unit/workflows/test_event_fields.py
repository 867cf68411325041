"""The catalogue of fields says what events really hold."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.workflows.definitions import ALICE, ID, MINT, PROGRAM, SIGNATURE, with_trigger
from workflows.specs.event_fields import EVENT_FIELDS, field_named
from workflows.specs.sample_events import sample_event
from workflows.specs.triggers import TRIGGER_TYPES
from workflows.specs.workflow import parse

TRIGGERS: list[dict[str, Any]] = [
    {"type": "balance_change", "address": ALICE, "direction": "decrease", "min_change": "3 SOL"},
    {"type": "account_change", "address": ALICE, "watch": "owner"},
    {"type": "program_account_change", "program_id": PROGRAM, "memcmp": [{"offset": 8, "bytes": ALICE}]},
    {"type": "token_receipt", "wallet": ALICE, "mint": MINT, "min_amount": "2.5"},
    {"type": "nft_receipt", "wallet": ALICE, "collection": MINT},
    {"type": "program_log", "program_id": PROGRAM, "pattern": "Transfer"},
    {"type": "program_log", "program_id": PROGRAM, "event": "Swapped", "idl": ID},
    {"type": "transaction_status", "account": ALICE, "status": "failed"},
    {"type": "transaction_status", "signature": SIGNATURE},
    {"type": "schedule", "cron": "0 9 * * *"},
    {"type": "webhook"},
    {"type": "manual"},
]

FITS = {
    "integer": lambda value: type(value) is int,
    "text": lambda value: type(value) is str,
    "address": lambda value: type(value) is str,
    "signature": lambda value: type(value) is str,
    "base64": lambda value: type(value) is str,
    "boolean": lambda value: type(value) is bool,
    "list": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
    "any": lambda value: True,
}


def test_every_trigger_has_its_fields() -> None:
    assert set(EVENT_FIELDS) == set(TRIGGER_TYPES)
    assert {trigger["type"] for trigger in TRIGGERS} == set(TRIGGER_TYPES)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_an_event_holds_exactly_the_fields_of_the_catalogue_with_their_types(trigger: dict[str, Any]) -> None:
    event = sample_event(parse(with_trigger(**trigger)).trigger).as_json()
    fields = {field.path.removeprefix("event."): field for field in EVENT_FIELDS[trigger["type"]]}
    assert set(event) == set(fields)
    for name, value in event.items():
        assert (value is None and fields[name].nullable) or FITS[fields[name].kind](value), name


def test_a_field_is_found_by_its_path() -> None:
    field = field_named("balance_change", "event.lamports_delta")
    assert field is not None
    assert (field.kind, field.unit, field.open) == ("integer", "lamports", False)
    assert field_named("manual", "event.data.amount") is None


def test_a_sample_line_is_as_a_real_one_without_what_nodes_put_before_it() -> None:
    event = sample_event(parse(with_trigger(type="program_log", program_id=PROGRAM, pattern=".")).trigger)

    assert f"Program log: {event.fields['line']}" in event.fields["logs"]
