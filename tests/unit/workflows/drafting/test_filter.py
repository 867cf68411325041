"""The filter as rows: nested groups are built, read back as they were, and taken apart."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from tests.unit.workflows.definitions import BOB, ID, RIGHT
from workflows.drafting.commands import UnknownCommand, obey
from workflows.drafting.conditions import Row, rows_of
from workflows.drafting.forms import read_card

SLOT = {"field": "event.slot", "op": "gt", "value": 5}


def document(part: Any, trigger: str = "balance_change") -> dict[str, Any]:
    return {"trigger": {"type": trigger}, "filter": part}


def as_shown(row: Row) -> QueryDict:
    """What a browser posts for rows that nobody touched."""
    data = QueryDict(mutable=True)

    def add(one: Row) -> None:
        if one.kind == "condition":
            data.update({f"{one.path}.field": one.field, f"{one.path}.op": one.op})
            if one.control != "nothing":
                data[f"{one.path}.value"] = one.text
        elif one.kind == "odd":
            data[one.path] = one.text
        elif one.mode:
            data[f"{one.path}/mode"] = one.mode
        for child in one.children:
            add(child)

    add(row)
    return data


def condition(trigger: str = "balance_change", **values: str) -> Any:
    """The one condition after these values were posted for it."""
    data = QueryDict(mutable=True)
    data.update({f"filter.{name}": value for name, value in values.items()})
    return read_card(document({"field": "event.slot", "op": "eq", "value": ""}, trigger), "filter", data)["filter"]


@pytest.mark.parametrize(
    "part",
    [
        RIGHT["filter"],
        SLOT,
        {"not": {"any": [SLOT, {"not": {"all": [SLOT]}}]}},
        {"not": {"not": SLOT}},
        {"all": [{"field": "event.owner", "op": "in", "value": [BOB, "a,b"]}]},
        {"any": [{"field": "event.owner", "op": "in_list", "value": ID}, {"field": "event.lamports", "op": "changed"}]},
        {
            "any": [
                {"field": "event.data.x", "op": "eq", "value": v} for v in (5, "5", "true", True, None, 1.5, "", "a")
            ]
        },
        {"all": []},
        {"all": [3, None, "x", {}, {"all": 1}]},
    ],
)
@pytest.mark.parametrize("trigger", ["balance_change", "manual", "nonsense"])
def test_rows_that_nobody_touched_are_the_same_filter(part: Any, trigger: str) -> None:
    before = document(part, trigger)
    assert read_card(before, "filter", as_shown(rows_of(part, trigger))) == before


def test_values_are_read_by_the_kind_of_the_field() -> None:
    assert condition(value="7")["value"] == 7
    assert condition(field="event.lamports_delta", value="-0.5 SOL")["value"] == "-0.5 SOL"
    assert condition(field="event.owner", value="7")["value"] == "7"
    assert condition(field="event.data_changed", value="true")["value"] is True
    assert condition("manual", field="event.data.n", value="7")["value"] == 7
    assert condition("manual", field="event.data.n", value='"7"')["value"] == "7"
    assert condition("manual", field="event.data.n", value="seven")["value"] == "seven"
    assert condition(field="event.owner", op="in", value="a\r\nb\n")["value"] == ["a", "b"]


def test_an_operator_without_a_value_takes_it_away_and_its_successor_asks_again() -> None:
    assert condition(op="exists", value="5") == {"field": "event.slot", "op": "exists"}
    changed = read_card(document({"field": "event.slot", "op": "exists"}), "filter", QueryDict("filter.op=gt"))
    assert changed["filter"] == {"field": "event.slot", "op": "gt", "value": ""}


def test_a_control_fits_operator_and_field() -> None:
    def control(field: str, op: str, trigger: str = "balance_change") -> str:
        return rows_of({"field": field, "op": op, "value": 1}, trigger).control

    assert control("event.slot", "exists") == "nothing"
    assert control("event.owner", "in_list") == "address_list"
    assert control("event.slot", "in") == "lines"
    assert control("event.data_changed", "eq") == "boolean"
    assert control("event.data.deep", "eq", "manual") == "text"
    assert "contains" not in rows_of(SLOT, "balance_change").operators


def test_a_group_becomes_none_of_and_back() -> None:
    before = document({"all": [SLOT]})
    none = read_card(before, "filter", QueryDict("filter/mode=none"))
    assert none["filter"] == {"not": {"any": [SLOT]}}
    assert read_card(none, "filter", QueryDict("filter/mode=all")) == before


def test_the_first_condition_makes_a_group_and_a_bare_one_is_taken_into_it() -> None:
    made, card = obey({"trigger": {"type": "balance_change"}}, "add filter", "filter")
    assert card == "filter"
    assert made["filter"] == {"all": [{"field": "event.lamports_delta", "op": "gte", "value": ""}]}
    taken, _ = obey(document(SLOT), "add filter", "filter")
    assert taken["filter"]["all"][0] == SLOT and len(taken["filter"]["all"]) == 2


def test_a_group_that_loses_its_last_condition_goes_with_it() -> None:
    nested = document({"all": [SLOT, {"not": {"any": [SLOT]}}]})
    left, _ = obey(nested, "remove filter.all[1].not.any[0]", "filter")
    assert left["filter"] == {"all": [SLOT]}
    left, _ = obey(left, "remove filter.all[0]", "filter")
    assert "filter" not in left


def test_groups_go_into_groups() -> None:
    made, _ = obey(document({"all": [SLOT]}), "add group filter.all", "filter")
    made, _ = obey(made, "add condition filter.all[1].any", "filter")
    assert len(made["filter"]["all"][1]["any"]) == 2
    with pytest.raises(UnknownCommand):
        obey(made, "add condition filter.any", "filter")
