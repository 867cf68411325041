"""Definitions that are right: what is normalised, what is filled in, and how problems are told."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from tests.unit.workflows.definitions import (
    ALICE,
    BOB,
    ID,
    MINT,
    PROGRAM,
    RIGHT,
    with_action,
    with_condition,
    with_notification,
    with_part,
    with_trigger,
)
from workflows.specs.actions import CallProgramByIdl, CallProgramRaw
from workflows.specs.errors import SpecErrors
from workflows.specs.workflow import dump, json_schema, parse, upgrade


def test_the_contracts_example_is_normalised_with_defaults_and_base_units() -> None:
    dumped = dump(parse(RIGHT))
    assert dumped["trigger"]["min_change"] == 500_000_000
    assert dumped["filter"] == RIGHT["filter"]
    assert dumped["actions"] == RIGHT["actions"]
    assert dumped["notifications"] == [{"channel": ID, "on": ["success", "failed"], "template": "default"}]


def test_the_smallest_definition_is_a_trigger() -> None:
    assert dump(parse({"trigger": {"type": "manual"}})) == {
        "schema": 1,
        "trigger": {"type": "manual"},
        "actions": [],
        "notifications": [],
    }


@pytest.mark.parametrize(
    ("trigger", "defaults"),
    [
        ({"type": "balance_change", "address": ALICE}, {"direction": "any", "min_change": 1}),
        ({"type": "account_change", "address": ALICE}, {"watch": "any"}),
        ({"type": "program_account_change", "program_id": PROGRAM}, {"memcmp": []}),
        ({"type": "token_receipt", "wallet": ALICE, "mint": MINT}, {"min_amount": 1}),
        ({"type": "nft_receipt", "wallet": ALICE}, {"verified_only": True}),
        (
            {"type": "program_log", "program_id": PROGRAM, "pattern": "x"},
            {"include_failed": False, "on_truncated": "notify"},
        ),
        ({"type": "transaction_status", "account": ALICE}, {"status": "any"}),
        ({"type": "schedule", "cron": "0 9 * * *"}, {"timezone": "UTC", "missed": "run_once"}),
        ({"type": "webhook"}, {"auth": "standard"}),
    ],
)
def test_a_trigger_gets_the_defaults_of_the_contract(trigger: dict[str, str], defaults: dict[str, object]) -> None:
    assert dump(parse(with_trigger(**trigger)))["trigger"] == {**trigger, **defaults}


@pytest.mark.parametrize(
    ("action", "defaults"),
    [
        ({"type": "transfer_sol", "to": BOB, "lamports": "max"}, {}),
        ({"type": "transfer_token", "mint": MINT, "to": BOB, "amount": "12.5"}, {"create_recipient_account": False}),
        (
            {"type": "call_program", "program_id": PROGRAM, "accounts": [{"address": BOB}], "data": ""},
            {
                "accounts": [{"address": BOB, "signer": False, "writable": False}],
                "encoding": "base64",
                "lookup_tables": [],
            },
        ),
        (
            {"type": "call_program", "program_id": PROGRAM, "idl": ID, "instruction": "deposit"},
            {"accounts": {}, "args": {}, "lookup_tables": []},
        ),
        ({"type": "transfer_sol", "to": BOB, "lamports": "max", "owner": ALICE}, {}),
        ({"type": "memo", "text": "thanks"}, {}),
    ],
)
def test_an_action_gets_the_defaults_of_the_contract(action: dict[str, object], defaults: dict[str, object]) -> None:
    assert dump(parse(with_action(**action)))["actions"] == [{**action, **defaults}]


def test_a_program_call_is_by_idl_when_it_names_one() -> None:
    call = {"type": "call_program", "program_id": PROGRAM}
    raw = parse(with_action(**call, accounts=[], data="00ff", encoding="hex")).actions[0]
    by_idl = parse(with_action(**call, idl=ID, instruction="go", args={"amount": "{{ event.slot }}"})).actions[0]
    assert isinstance(raw, CallProgramRaw)
    assert isinstance(by_idl, CallProgramByIdl)


def test_templates_may_stand_for_addresses_amounts_and_text() -> None:
    action = {"type": "transfer_token", "mint": "{{ event.mint }}", "to": "{{ event.wallet }}"}
    assert parse(with_action(**action, amount="{{ event.amount_delta * 95 // 100 }}")).actions[0].type


def test_a_filter_on_lamports_may_be_written_in_sol() -> None:
    spec = parse(with_condition(field="event.lamports_delta", op="lte", value="-0.25 SOL"))
    assert dump(spec)["filter"]["value"] == -250_000_000


def test_a_filter_may_compare_with_null() -> None:
    spec = parse(with_condition(field="event.signature", op="ne", value=None))
    assert dump(spec)["filter"] == {"field": "event.signature", "op": "ne", "value": None}
    assert parse(dump(spec)) == spec


@pytest.mark.parametrize("value", [{}, {"value": None}, {"value": True}])
def test_exists_and_changed_have_one_spelling(value: dict[str, object]) -> None:
    dumped = dump(parse(with_condition(field="event.owner", op="changed", **value)))
    assert dumped["filter"] == {"field": "event.owner", "op": "changed"}


def test_a_filter_may_ask_for_a_field_that_the_event_may_lack() -> None:
    assert parse(with_condition(field="event.nowhere.at_all", op="ne", value="x")).filter is not None


def test_a_filter_may_be_nested_eight_deep() -> None:
    part: dict[str, object] = {"field": "event.slot", "op": "exists"}
    for _ in range(8):
        part = {"all": [part]}
    assert parse(with_part(filter=part)).filter is not None


def test_ids_colours_and_occasions_have_one_spelling() -> None:
    notification = with_notification(channel=ID.upper(), on=["throttled", "success"], color=0x5865F2)
    assert dump(parse(notification))["notifications"] == [
        {"channel": ID, "on": ["success", "throttled"], "template": "default", "color": "#5865f2"}
    ]


def test_all_problems_are_told_at_once() -> None:
    broken = {
        "trigger": {"type": "balance_change", "adress": ALICE},
        "filter": {"all": [{"field": "event.slot", "op": "gt", "value": "x"}, {"any": [{"op": "eq", "value": 1}]}]},
        "actions": [{"type": "transfer_sol", "lamprots": 5, "to": "x"}, {"type": "swap"}],
        "notifications": [{"channel": "https://discord.com/api/webhooks/1/secret", "on": ["ever"]}],
        "more": 1,
    }
    with pytest.raises(SpecErrors) as caught:
        parse(broken)
    assert {(error.path, error.code) for error in caught.value.errors} == {
        ("trigger.address", "required"),
        ("trigger.adress", "unknown_key"),
        ("filter.all[0].value", "wrong_value"),
        ("filter.all[1].any[0].field", "required"),
        ("actions[0].lamports", "required"),
        ("actions[0].lamprots", "unknown_key"),
        ("actions[0].to", "not_an_address"),
        ("actions[1].type", "unknown_type"),
        ("notifications[0].channel", "secret"),
        ("notifications[0].on[0]", "not_allowed"),
        ("more", "unknown_key"),
    }


def test_an_unknown_key_is_told_with_the_keys_that_there_are() -> None:
    with pytest.raises(SpecErrors) as caught:
        parse(with_action(type="transfer_sol", to=BOB, lamports=1, lamprots=5))
    assert caught.value.errors[0].detail == (
        "actions[0].lamprots is not a known key; did you mean lamports? Known: type, to, lamports, keep, owner."
    )


def test_a_wrong_value_is_told_with_the_value_and_what_is_allowed() -> None:
    with pytest.raises(SpecErrors) as caught:
        parse(with_trigger(type="balance_change", address=ALICE, direction="sideways" * 20))
    detail = caught.value.errors[0].detail
    assert "increase" in detail
    assert "sidewayssideways" in detail
    assert len(detail) < 200


def test_a_very_broken_document_is_told_with_a_bounded_number_of_problems() -> None:
    with pytest.raises(SpecErrors) as caught:
        parse({"trigger": {"type": "manual"}, **{f"key{number}": 1 for number in range(5000)}})
    assert len(caught.value.errors) == 100


def test_problems_can_be_told_from_where_the_definition_lies() -> None:
    with pytest.raises(SpecErrors) as caught:
        parse({"trigger": {"type": "swap"}})
    moved = caught.value.under("definition").errors[0]
    assert (moved.path, moved.code) == ("definition.trigger.type", "unknown_type")


def test_a_newer_schema_is_refused_by_its_number() -> None:
    with pytest.raises(SpecErrors) as caught:
        upgrade({"schema": 2})
    assert "(2) must be 1" in caught.value.errors[0].detail


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        parse(RIGHT).trigger.type = "manual"


def test_the_json_schema_refuses_what_it_can_know() -> None:
    schema = jsonschema_rs.validator_for(json.loads(json.dumps(json_schema())))
    assert schema.is_valid(RIGHT)
    assert not schema.is_valid({**RIGHT, "more": 1})
    assert not schema.is_valid(with_trigger(type="swap"))
    assert not schema.is_valid(with_action(type="transfer_sol", to=BOB, lamports=0.5))
    assert not schema.is_valid(with_part(filter={"all": []}))


@pytest.mark.parametrize(
    ("extra", "path"),
    [
        ({"digest_s": 0}, "notifications[0].digest_s"),
        ({"digest_s": 86_401}, "notifications[0].digest_s"),
        ({"digest_s": 1.5}, "notifications[0].digest_s"),
        ({"cooldown_s": "60"}, "notifications[0].cooldown_s"),
        ({"cooldown_s": 60, "digest_s": 60}, "notifications[0].cooldown_s"),
        ({"recovery_after": 0}, "notifications[0].recovery_after"),
    ],
)
def test_a_wrong_way_to_gather_messages_is_named(extra: dict[str, Any], path: str) -> None:
    told = {"channel": ID, "on": ["failed"], **extra}
    with pytest.raises(SpecErrors) as refused:
        parse({"trigger": {"type": "manual"}, "notifications": [told]})
    assert [error.path for error in refused.value.errors] == [path]


def test_ways_to_gather_messages_are_kept_as_written_and_left_out_where_absent() -> None:
    told = {"channel": ID, "on": ["failed"], "cooldown_s": 600, "recovery_after": 3}
    (dumped,) = dump(parse({"trigger": {"type": "manual"}, "notifications": [told]}))["notifications"]
    assert dumped == {**told, "template": "default"}
