"""What became of a definition, card by card."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from solflow.ui.builder.changes import changes_in_words, json_lines
from tests.unit.workflows.definitions import ALICE, BOB, ID, RIGHT, with_part
from workflows.drafting.differences import FieldChange, differences

PAY = {"type": "transfer_sol", "to": BOB, "lamports": 1000}
MEMO = {"type": "memo", "text": "one"}


def of(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(one.role, one.change, one.number) for one in differences(before, after)]


def words(before: dict[str, Any], after: dict[str, Any]) -> list[Any]:
    return changes_in_words(before, after, {ID: SimpleNamespace(name="ops", type="discord")})


def test_a_definition_does_not_differ_from_itself() -> None:
    assert differences(RIGHT, with_part()) == () and json_lines(RIGHT, with_part()) == []


def test_a_changed_field_is_told_alone() -> None:
    changed = with_part(trigger={**RIGHT["trigger"], "min_change": 700_000_000})
    (change,) = differences(RIGHT, changed)
    assert change.fields == (FieldChange("min_change", "0.5 SOL", 700_000_000),)
    (told,) = words(RIGHT, changed)
    assert (told.where, told.word, told.fields[0].label) == ("Trigger", "changed", "At least")
    assert (told.fields[0].before, told.fields[0].after) == ("0.5 SOL", "0.7 SOL")


def test_a_key_that_is_left_out_is_not_set() -> None:
    changed = with_part(
        notifications=[{"channel": ID, "on": ["success", "failed"], "template": "default", "title": "x"}]
    )
    (told,) = words(RIGHT, changed)
    assert (told.where, told.card.title, told.fields[0].before) == ("Notification 1", "ops", "not set")


def test_another_kind_of_trigger_is_told_as_a_whole() -> None:
    (told,) = words(RIGHT, with_part(trigger={"type": "account_change", "address": ALICE}))
    assert (told.was, told.card.title, told.fields) == ("Balance increases", "Account changes", ())


def test_cards_of_a_list_are_added_removed_changed_and_moved() -> None:
    one, two = {"actions": [PAY, MEMO]}, {"actions": [MEMO]}
    assert of(one, two) == [("action", "removed", 1)]
    assert of(two, one) == [("action", "added", 1)]
    assert [change for _, change, _ in of(one, {"actions": [MEMO, PAY]})] == ["moved"]
    assert of(one, {"actions": [PAY, {"type": "memo", "text": "two"}]}) == [("action", "changed", 2)]
    assert of(one, {"actions": [PAY, {**PAY, "lamports": 5}]}) == [("action", "added", 2), ("action", "removed", 2)]


def test_a_filter_is_told_condition_by_condition() -> None:
    changed = with_part(filter={"all": [RIGHT["filter"]["all"][0], {"field": "event.slot", "op": "lt", "value": 9}]})
    (told,) = words(RIGHT, changed)
    assert [(line.css, line.text.strip()) for line in told.lines if line.css != "ctx"] == [
        ("del", "Any of"),
        ("del", "event.slot more than 0"),
        ("del", "Not"),
        ("del", "event.owner is 9WzDXwBb…9zYtAWWM"),
        ("ins", "event.slot less than 9"),
    ]
    assert [(one.role, one.change) for one in differences(RIGHT, with_part(filter=None))] == [("filter", "removed")]


def test_drafts_that_are_wrong_are_compared_too() -> None:
    for wrong in (
        {},
        {"trigger": 1, "actions": 5},
        {"actions": [None, {}], "filter": [], "notifications": [{"on": 1}]},
    ):
        assert words(RIGHT, wrong) and words(wrong, RIGHT)
