"""A card's form is what its spec says, and what was posted for it becomes the card."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from tests.unit.workflows.definitions import ALICE, BOB, ID, MINT, RIGHT, with_action, with_part, with_trigger
from workflows.drafting.cards import cards_of, kinds_of, ordered
from workflows.drafting.commands import new_part, of_kind
from workflows.drafting.fields import Field, fields_of
from workflows.drafting.forms import read_card
from workflows.drafting.paths import value_at
from workflows.drafting.values import shown
from workflows.specs.errors import SpecErrors
from workflows.specs.workflow import dump, parse


def posted(**values: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


def read(document: Any, card: str, **values: Any) -> Any:
    """The card after these values of its controls were posted, by their names within the card."""
    named = {f"{card}{name if name.startswith('/') else '.' + name}": value for name, value in values.items()}
    return value_at(read_card(document, card, posted(**named)), card)


@pytest.mark.parametrize("role", ["trigger", "action", "notification"])
def test_every_field_of_every_kind_has_a_control_and_json_is_left_for_what_has_structure(role: Any) -> None:
    structured = {"memcmp", "accounts", "args"}
    for model in kinds_of(role).values():
        for field in fields_of(model):
            assert (field.kind == "json") == (field.name in structured), (model, field)


def test_a_field_is_asked_for_by_the_type_of_its_value() -> None:
    kinds = {field.name: field.kind for model in kinds_of("action").values() for field in fields_of(model)}
    assert kinds["to"] == "address" and kinds["lamports"] == "lamports" and kinds["amount"] == "tokens"
    assert kinds["idl"] == "idl" and kinds["lookup_tables"] == "addresses" and kinds["encoding"] == "choice"


def test_amounts_are_shown_and_read_with_their_unit() -> None:
    amount = Field("lamports", "lamports", required=True)
    assert [(one.text, one.unit) for one in (shown(amount, 900_000), shown(amount, "5 lamports"))] == [
        ("0.0009", "SOL"),
        ("5", "lamports"),
    ]
    document = with_action(type="transfer_sol", to=BOB, lamports=900_000)
    for text, unit, expected in (
        ("0.0009", "SOL", 900_000),
        ("900000", "lamports", "900000 lamports"),
        ("0.5", "SOL", "0.5 SOL"),
        ("max", "SOL", "max"),
        ("{{ event.lamports_delta // 2 }}", "SOL", "{{ event.lamports_delta // 2 }}"),
        ("five", "SOL", "five"),
    ):
        action = read(document, "actions[0]", **{"lamports": text, "lamports/unit": unit})
        assert action["lamports"] == expected, text


def test_tokens_are_whole_tokens_as_text_and_base_units_as_numbers() -> None:
    document = with_action(type="transfer_token", mint=MINT, to=BOB, amount="12.5")
    for text, unit, expected in (("12.5", "tokens", "12.5"), ("100", "base units", 100), ("100", "tokens", "100")):
        assert read(document, "actions[0]", **{"amount": text, "amount/unit": unit})["amount"] == expected


def test_an_empty_control_leaves_an_optional_key_out_and_a_needed_one_empty() -> None:
    document = with_trigger(type="token_receipt", wallet=ALICE, mint=MINT)
    assert read(document, "trigger", wallet="", mint="") == {"type": "token_receipt", "mint": ""}


def test_a_switch_that_was_not_posted_stays_and_one_that_was_switched_off_is_off() -> None:
    document = with_trigger(type="nft_receipt", wallet=ALICE)
    assert "verified_only" not in read(document, "trigger", wallet=BOB)
    assert read(document, "trigger", verified_only=[""])["verified_only"] is False
    assert "verified_only" not in read(document, "trigger", verified_only=["", "on"])


def test_ticked_choices_are_a_list() -> None:
    assert read(RIGHT, "notifications[0]", on=["", "filtered"])["on"] == ["filtered"]
    assert read(RIGHT, "notifications[0]", on=[""])["on"] == []


def test_another_kind_keeps_what_both_have_and_begins_the_rest() -> None:
    trigger = read(with_trigger(type="account_change", address=ALICE, watch="data"), "trigger", **{"/kind": "schedule"})
    assert trigger == {"type": "schedule", "cron": ""}
    document = with_action(type="call_program", program_id=BOB, accounts=[], data="")
    action = read(document, "actions[0]", **{"/kind": "call_program.idl"})
    assert action["idl"] == "" and action["program_id"] == BOB and "data" not in action


@pytest.mark.parametrize("role", ["trigger", "action", "notification"])
def test_a_new_part_is_of_its_kind_and_only_has_gaps(role: Any) -> None:
    for kind, model in kinds_of(role).items():
        part = new_part(kind, model)
        name = {"trigger": "trigger", "action": "actions", "notification": "notifications"}[role]
        document = with_part(filter=None, **{name: part if role == "trigger" else [part]})
        assert [card.kind for card in cards_of(document) if card.role == role] == [kind]
        assert of_kind(part, kind, model) == part
        try:
            parse(document)
        except SpecErrors as error:
            assert not {one.code for one in error.errors} & {"unknown_key", "unknown_type", "required"}, error


def test_a_document_is_put_into_the_order_of_the_specs_and_stays_the_same() -> None:
    definition = dump(parse(RIGHT))
    shuffled = {key: definition[key] for key in sorted(definition, reverse=True)}
    shuffled["actions"] = [{key: part[key] for key in sorted(part)} for part in shuffled["actions"]]
    assert list(ordered(shuffled)) == ["schema", "trigger", "filter", "actions", "notifications"]
    assert list(ordered(shuffled)["actions"][0]) == ["type", "to", "lamports"]
    assert ordered(shuffled) == definition


def test_a_card_that_is_not_there_takes_nothing() -> None:
    for card in ("actions[1]", "actions", "schema", "notifications[3]", "", "filter.all[0]"):
        assert read_card(RIGHT, card, posted(**{f"{card}.to": BOB})) == RIGHT


def test_an_unknown_key_is_kept_for_the_spec_to_name() -> None:
    document = with_part(notifications=[{"channel": ID, "on": ["success"], "cooldwon_s": 5}])
    assert read(document, "notifications[0]", title="Hi") == {
        "channel": ID,
        "on": ["success"],
        "cooldwon_s": 5,
        "title": "Hi",
    }


def test_keys_with_controls_of_their_own_are_put_into_their_object() -> None:
    part = {"type": "call_program", "idl": ID, "args": {"amount": 5, "old": [1]}, "accounts": {"to": BOB}}
    posts = {
        "args.amount": "7",
        "args.memo/text": "5",
        "args.flag": "true",
        "accounts.to/text": "",
        "accounts.g.a/text": ALICE,
    }
    action = read(with_part(actions=[part]), "actions[0]", **posts)
    assert action["args"] == {"amount": 7, "old": [1], "memo": "5", "flag": True}
    assert action["accounts"] == {"g.a": ALICE}
    untouched = {"args.amount": "5", "args.old": "[1]", "accounts.to/text": BOB}
    assert read(with_part(actions=[part]), "actions[0]", **untouched) == part
