"""Filters: what operators mean at the edges, and what a trace tells."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.workflows.definitions import ALICE, BOB
from workflows.matching import AddressListView, FilterResult, compile_filter, evaluate
from workflows.specs.workflow import parse

LIST = "00000000-0000-4000-8000-000000000001"
LISTS = {LIST: AddressListView(LIST, "whales", 4, frozenset({ALICE}))}
U128 = 2**128 - 1


def ask(document: dict[str, Any] | None, lists: dict[str, AddressListView] | None = None, **data: Any) -> FilterResult:
    part = parse({"trigger": {"type": "manual"}, "filter": document}).filter
    event = {"type": "manual", "slot": None, "data": data}
    result = evaluate(part, event, lists or {})
    assert compile_filter(part).met(event, lists or {}) is result.met
    return result


def condition(op: str, *value: Any, field: str = "event.data.x") -> dict[str, Any]:
    return {"field": field, "op": op} | ({"value": value[0]} if value else {})


@pytest.mark.parametrize(
    ("op", "value", "seen", "expected"),
    [
        ("eq", 5, 5, True),
        ("eq", "5", 5, True),
        ("eq", 5, "5", True),
        ("eq", "05", "5", False),
        ("eq", 1, True, False),
        ("eq", True, 1, False),
        ("eq", True, True, True),
        ("eq", 0, False, False),
        ("eq", 0, None, False),
        ("eq", None, None, True),
        ("eq", "a", "A", False),
        ("eq", "a", ["a"], False),
        ("eq", 2**53, 2**53 + 1, False),
        ("eq", 2.0**53, 2**53 + 1, False),
        ("eq", U128, str(U128), True),
        ("eq", U128 - 1, str(U128), False),
        ("ne", 5, 6, True),
        ("ne", 5, "6", True),
        ("ne", 5, "x", True),
        ("ne", 5, 5, False),
        ("ne", 5, None, True),
        ("gt", 2**64 - 1, str(2**64), True),
        ("gt", str(2**64 - 1), 2**64, True),
        ("gt", 5, 5, False),
        ("gte", 5, 5, True),
        ("lt", -5, "-6", True),
        ("lte", "5", "5", True),
        ("gt", 1, "x", False),
        ("gt", 0, True, False),
        ("gt", 0, None, False),
        ("lt", 0, None, False),
        ("gt", 1, 1.5, True),
        ("gt", 0, "1.5", False),
        ("contains", "b", "abc", True),
        ("contains", "", "abc", True),
        ("contains", 5, "5", False),
        ("contains", "5", ["4", 5], True),
        ("contains", True, [1], False),
        ("contains", "a", {"a": 1}, False),
        ("not_contains", "z", "abc", True),
        ("not_contains", 6, [5], True),
        ("not_contains", "z", 5, False),
        ("not_contains", "z", None, False),
        ("starts_with", "ab", "abc", True),
        ("starts_with", "5", 55, False),
        ("ends_with", "bc", "abc", True),
        ("regex", r"^INV-\d+$", "INV-42", True),
        ("regex", r"\d", 42, False),
        ("in", [1, "a"], "a", True),
        ("in", [1, "a"], "1", True),
        ("in", [True], 1, False),
        ("in", [None], None, True),
        ("not_in", [1, 2], 3, True),
        ("not_in", [1, 2], "2", False),
        ("in_list", LIST, ALICE, True),
        ("in_list", LIST, BOB, False),
        ("in_list", LIST, 5, False),
        ("not_in_list", LIST, BOB, True),
        ("not_in_list", LIST, ALICE, False),
        ("not_in_list", LIST, None, False),
    ],
)
def test_an_operator_means(op: str, value: Any, seen: Any, expected: bool) -> None:
    assert ask(condition(op, value), LISTS, x=seen).met is expected


@pytest.mark.parametrize(
    "question",
    [
        condition("eq", 5),
        condition("ne", 5),
        condition("not_contains", "a"),
        condition("not_in", [5]),
        condition("not_in_list", LIST),
        condition("exists"),
        condition("changed"),
    ],
)
def test_a_condition_on_a_missing_field_is_false_and_its_opposite_true(question: dict[str, Any]) -> None:
    assert ask(question, LISTS).met is False
    assert ask({"not": question}, LISTS).met is True


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("event.data.deep.er", True),
        ("event.data.items.1.name", True),
        ("event.data.items.2.name", False),
        ("event.data.items.-1.name", False),
        ("event.data.items.name", False),
        ("event.data.text.0", False),
        ("event.type", True),
        ("event.slot", True),
        ("event.data.nothing", False),
        ("event.data.items.99999999999999999999", False),
    ],
)
def test_a_path_leads_into_objects_and_lists(field: str, expected: bool) -> None:
    data = {"deep": {"er": 1}, "items": [{"name": "a"}, {"name": "b"}], "text": "abc"}
    assert ask(condition("exists", field=field), **data).met is expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"x": 5, "previous_x": 6}, True),
        ({"x": 5, "previous_x": 5}, False),
        ({"x": 5, "previous_x": "5"}, False),
        ({"x": 5, "previous_x": None}, True),
        ({"x": 5}, False),
        ({"previous_x": 5}, False),
    ],
)
def test_changed_compares_with_the_previous_value_beside_it(data: dict[str, Any], expected: bool) -> None:
    assert ask(condition("changed"), **data).met is expected


def test_a_list_that_is_gone_opens_no_door_and_the_trace_says_so() -> None:
    for op in ("in_list", "not_in_list"):
        result = ask(condition(op, LIST), {}, x=BOB)
        assert result.met is False
        assert result.trace["note"] == "the address list does not exist"


def test_no_filter_lets_everything_pass() -> None:
    assert ask(None) == FilterResult(True, {"met": True, "note": "no filter"})


def test_the_trace_shows_what_each_condition_saw_and_what_was_not_needed() -> None:
    result = ask(
        {
            "any": [
                {"all": [condition("gt", 5), condition("eq", "a", field="event.data.y")]},
                {"not": condition("in_list", LIST, field="event.data.who")},
                condition("exists"),
            ]
        },
        LISTS,
        x=3,
        who=BOB,
    )
    assert result.trace == {
        "any": [
            {
                "all": [
                    {"field": "event.data.x", "op": "gt", "value": 5, "saw": 3, "met": False},
                    {"field": "event.data.y", "op": "eq", "value": "a", "met": None, "note": "not needed"},
                ],
                "met": False,
            },
            {
                "not": {
                    "field": "event.data.who",
                    "op": "in_list",
                    "value": LIST,
                    "saw": BOB,
                    "met": False,
                    "list": {"name": "whales", "version": 4},
                },
                "met": True,
            },
            {"field": "event.data.x", "op": "exists", "saw": 3, "met": None, "note": "not needed"},
        ],
        "met": True,
    }


def test_the_trace_says_what_was_missing_and_what_was_before() -> None:
    assert ask(condition("eq", 1)).trace["note"] == "the field is missing"
    assert ask(condition("changed"), x=1).trace["note"] == "there is no previous value"
    assert ask(condition("changed"), x=1, previous_x=2).trace["previous"] == 2


def test_the_trace_keeps_long_values_short() -> None:
    trace = ask(condition("in", list(range(50))), x="y" * 5000).trace
    assert len(trace["saw"]) == 201
    assert trace["value"][-1] == "… and 40 more"
    assert ask(condition("eq", 1), x=[1, 2]).trace["saw"] == "a list of 2"
    assert ask(condition("eq", 1), x={"a": 1}).trace["saw"] == "an object with 1 keys"
