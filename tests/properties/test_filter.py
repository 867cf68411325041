"""Filter evaluation against a naive oracle that asks every condition, in fractions, with no short way out."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests import strategies
from workflows.matching import AddressListView, compile_filter, evaluate
from workflows.specs.workflow import parse

KNOWN_LIST = "00000000-0000-4000-8000-000000000001"
GONE_LIST = "00000000-0000-4000-8000-000000000002"
LISTS = {KNOWN_LIST: AddressListView(KNOWN_LIST, "known", 3, frozenset({"a", "7"}))}


def number(value: Any) -> Fraction | None:
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return None
    if isinstance(value, str):
        return Fraction(value) if re.fullmatch("-?[0-9]{1,78}", value) else None
    return Fraction(value)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if number(left) is not None and number(right) is not None:
        return number(left) == number(right)
    return type(left) is type(right) and left == right


def find(event: Any, path: str) -> list[Any]:
    """The value at the path in a list, or an empty list."""
    found = [event]
    for key in path.split(".")[1:]:
        if isinstance(found[0], dict) and key in found[0]:
            found = [found[0][key]]
        elif isinstance(found[0], list) and key.isdigit() and int(key) < len(found[0]):
            found = [found[0][int(key)]]
        else:
            return []
    return found


def oracle(document: dict[str, Any], event: dict[str, Any]) -> bool:
    if "all" in document:
        return False not in [oracle(part, event) for part in document["all"]]
    if "any" in document:
        return True in [oracle(part, event) for part in document["any"]]
    if "not" in document:
        return not oracle(document["not"], event)
    return asked(document, event)


def asked(condition: dict[str, Any], event: dict[str, Any]) -> bool:
    found, op, value = find(event, condition["field"]), condition["op"], condition.get("value")
    if not found:
        return False
    seen = found[0]
    head, _, last = condition["field"].rpartition(".")
    before = find(event, f"{head}.previous_{last}")
    ordered = number(seen) is not None and number(value) is not None
    answers = {
        "eq": lambda: same(seen, value),
        "ne": lambda: not same(seen, value),
        "gt": lambda: ordered and number(seen) > number(value),
        "gte": lambda: ordered and number(seen) >= number(value),
        "lt": lambda: ordered and number(seen) < number(value),
        "lte": lambda: ordered and number(seen) <= number(value),
        "contains": lambda: (
            (isinstance(seen, str) and isinstance(value, str) and value in seen)
            or (isinstance(seen, list) and True in [same(item, value) for item in seen])
        ),
        "not_contains": lambda: (
            (isinstance(seen, str) and not (isinstance(value, str) and value in seen))
            or (isinstance(seen, list) and True not in [same(item, value) for item in seen])
        ),
        "starts_with": lambda: isinstance(seen, str) and seen[: len(value)] == value,
        "ends_with": lambda: isinstance(seen, str) and seen[-len(value) :] == value,
        "regex": lambda: isinstance(seen, str) and re.search(value, seen) is not None,
        "in": lambda: True in [same(seen, item) for item in value],
        "not_in": lambda: True not in [same(seen, item) for item in value],
        "in_list": lambda: value == KNOWN_LIST and isinstance(seen, str) and seen in ("a", "7"),
        "not_in_list": lambda: value == KNOWN_LIST and isinstance(seen, str) and seen not in ("a", "7"),
        "exists": lambda: True,
        "changed": lambda: bool(before) and not same(seen, before[0]),
    }
    return answers[op]()


filters = strategies.filters(lists=[KNOWN_LIST, GONE_LIST])


def parsed(document: dict[str, Any]) -> Any:
    return parse({"trigger": {"type": "manual"}, "filter": document}).filter


@settings(max_examples=500)
@given(filters, st.lists(strategies.json_events(), min_size=1, max_size=4))
def test_a_filter_answers_as_the_oracle_does(document: dict[str, Any], events: list[dict[str, Any]]) -> None:
    compiled = compile_filter(parsed(document))
    for event in events:
        expected = oracle(document, event)
        assert compiled.met(event, LISTS) is expected
        assert compiled.evaluate(event, LISTS).met is expected


@given(filters, strategies.json_events())
def test_a_trace_is_json_of_the_shape_of_its_filter_and_ends_with_its_answer(
    document: dict[str, Any], event: dict[str, Any]
) -> None:
    result = evaluate(parsed(document), event, LISTS)
    trace = json.loads(json.dumps(result.trace))
    assert trace["met"] is result.met
    assert_shaped_like(document, trace)


def assert_shaped_like(document: dict[str, Any], trace: dict[str, Any]) -> None:
    for key in ("all", "any"):
        if key in document:
            assert len(trace[key]) == len(document[key])
            for part, below in zip(document[key], trace[key], strict=True):
                assert_shaped_like(part, below)
            return
    if "not" in document:
        assert_shaped_like(document["not"], trace["not"])
        return
    assert (trace["field"], trace["op"]) == (document["field"], document["op"])
    assert trace["met"] in (True, False) or trace["note"] == "not needed"


junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab0"), inner, max_size=3)),
    max_leaves=8,
)


@given(filters, st.dictionaries(st.sampled_from(["data", "type"]), junk))
def test_no_event_makes_a_filter_raise(document: dict[str, Any], event: dict[str, Any]) -> None:
    result = evaluate(parsed(document), event, LISTS)
    assert result.met is compile_filter(parsed(document)).met(event, LISTS)
