"""A definition as the cards of the pipeline."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from solflow.ui import definition
from workflows.specs.actions import ACTION_TYPES
from workflows.specs.operators import TAKES
from workflows.specs.triggers import TRIGGER_TYPES

ADDRESS = "7vQm3cXoPEd8F2LsYkWqNfBz5tGhJr9AuVeKMxT4pHnR"
ROOM = "7d3c0000-0000-4000-8000-000000000001"


def document(**parts: Any) -> dict[str, Any]:
    return {"schema": 1, "trigger": {"type": "manual"}, "actions": [], "notifications": [], **parts}


def test_every_trigger_action_and_operator_of_the_definition_has_words_and_an_icon() -> None:
    assert set(definition.TRIGGER_WORDS) == set(definition.TRIGGER_ICONS) == set(TRIGGER_TYPES)
    assert set(definition.ACTION_WORDS) == set(definition.ACTION_ICONS) == set(ACTION_TYPES)
    assert set(definition.OPERATOR_WORDS) == set(TAKES)


def test_a_trigger_card_names_what_is_watched() -> None:
    trigger = {"type": "balance_change", "address": ADDRESS, "direction": "increase", "min_change": 500_000_000}
    card = definition.pipeline(document(trigger=trigger), {}).trigger
    assert card.title == "Balance increases"
    assert card.facts == [
        definition.Fact("Address", ADDRESS, is_address=True),
        definition.Fact("At least", "0.5 SOL"),
    ]


def test_an_action_card_shows_the_amount_in_sol() -> None:
    [card] = definition.pipeline(
        document(actions=[{"type": "transfer_sol", "to": ADDRESS, "lamports": 1000}]), {}
    ).actions
    assert card.title == "Transfer 0.000001 SOL"


def test_a_templated_recipient_is_text_not_an_address() -> None:
    action = {"type": "transfer_sol", "to": "{{ event.account }}", "lamports": 1}
    [card] = definition.pipeline(document(actions=[action]), {}).actions
    assert card.facts[0] == definition.Fact("To", "{{ event.account }}")


def test_unset_keys_are_left_out_of_a_card_but_zero_is_not() -> None:
    action = {"type": "transfer_sol", "to": ADDRESS, "lamports": "max", "keep": 0, "note": None, "flag": False}
    [card] = definition.pipeline(document(actions=[action]), {}).actions
    assert [fact.label for fact in card.facts] == ["To", "Amount", "Keeps"]


def test_a_notification_card_has_the_channels_name() -> None:
    channels = {ROOM: SimpleNamespace(name="Treasury room", type="discord")}
    notification = {"channel": ROOM, "template": "default", "on": ["success", "failed"]}
    [card] = definition.pipeline(document(notifications=[notification]), channels).notifications
    assert (card.title, card.label, card.icon) == ("Treasury room", "On success, failed", "message-square")


def test_a_channel_that_is_gone_is_said_to_be_unknown() -> None:
    [card] = definition.pipeline(document(notifications=[{"channel": ROOM, "on": []}]), {}).notifications
    assert card.title == "Unknown channel"


def test_conditions_nest_as_they_are_written() -> None:
    tree = definition.condition(
        {"all": [{"field": "event.slot", "op": "gt", "value": 0}, {"not": {"field": "event.mint", "op": "exists"}}]}
    )
    comparison, negated = tree.children
    assert tree.group == "All of"
    assert (comparison.name, comparison.operator, comparison.value) == ("event.slot", "more than", "0")
    assert (negated.group, negated.children[0].operator, negated.children[0].value) == ("Not", "exists", "")


def test_a_long_value_is_short_on_the_card_and_whole_in_its_title() -> None:
    shown = definition.condition({"field": "event.owner", "op": "eq", "value": ADDRESS})
    assert (shown.value, shown.whole_value) == ("7vQm3cXo…MxT4pHnR", ADDRESS)


def test_a_group_that_must_not_hold_is_said_in_one() -> None:
    slot = {"field": "event.slot", "op": "gt", "value": 5}
    for inner, words in (("any", "None of"), ("all", "Not all of")):
        told = definition.condition({"not": {inner: [slot, slot]}})
        assert (told.group, len(told.children)) == (words, 2)
    assert definition.condition({"not": slot}).group == "Not"
