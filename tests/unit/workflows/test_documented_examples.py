"""Every example in docs/ is what it claims to be, and there is one for whatever a definition can hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.documents import AN_ID, DOCS, Example, examples, in_tables
from workflows.matching.filters import AddressListView, evaluate
from workflows.matching.triggers import matches
from workflows.specs import channels
from workflows.specs.actions import ACTION_VARIANTS, action_variant
from workflows.specs.errors import SpecErrors
from workflows.specs.exchange import parse_export
from workflows.specs.operators import OPERATORS
from workflows.specs.sample_events import sample_event
from workflows.specs.served import SERVED_ACTIONS, SERVED_TRIGGERS
from workflows.specs.signer_backends import BACKENDS, validate_backend
from workflows.specs.triggers import TRIGGER_TYPES
from workflows.specs.workflow import WorkflowSpec, parse

# What requests are answered with is compared with real answers (tests/integration/api/test_documented_calls.py).
EXAMPLES = [example for example in examples() if example.page != "api"]
MESSAGES = ("execution.", "workflow.paused", "digest", "test")


def definition(**parts: Any) -> WorkflowSpec:
    return parse({"schema": 1, "trigger": {"type": "manual"}, **parts})


def _is_event(value: dict[str, Any]) -> bool:
    return "slot" in value and "lamports" in value


def _check_trigger(value: dict[str, Any]) -> None:
    trigger = definition(trigger=value).trigger
    assert matches(trigger, sample_event(trigger))


def _check_channel(value: dict[str, Any]) -> None:
    channels.validate_config(value["type"], value["config"])


def _check_message(value: dict[str, Any]) -> None:
    assert {"type", "timestamp", "data"} == set(value)


def _backends_of(value: dict[str, Any]) -> set[str]:
    """The services whose config has exactly these keys; the values of an example are no keys of anybody."""
    return {backend for backend in BACKENDS if not {"unknown_key", "required"} & _codes(backend, value)}


def _codes(backend: str, config: dict[str, Any]) -> set[str]:
    try:
        validate_backend(backend, config)
    except SpecErrors as error:
        return {one.code for one in error.errors}
    return set()


# What a value is, by what only such a one has; the first that applies.
KINDS: list[tuple[str, Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], object]]] = [
    ("definition", lambda value: "trigger" in value, parse),
    ("export", lambda value: "solflow" in value, parse_export),
    ("event", _is_event, lambda value: value["type"] in TRIGGER_TYPES),
    ("channel", lambda value: "config" in value, _check_channel),
    ("trigger", lambda value: value.get("type") in TRIGGER_TYPES, _check_trigger),
    ("action", lambda value: action_variant(value) is not None, lambda value: definition(actions=[value])),
    ("filter", lambda value: bool({"op", "all", "any", "not"} & set(value)), lambda value: definition(filter=value)),
    ("notification", lambda value: "channel" in value, lambda value: definition(notifications=[value])),
    ("signer backend", lambda value: bool(_backends_of(value)), lambda value: None),
    ("message", lambda value: str(value.get("type")).startswith(MESSAGES), _check_message),
]


def kind_of(value: dict[str, Any]) -> str | None:
    return next((name for name, applies, _ in KINDS if applies(value)), None)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_is_what_it_claims_to_be(example: Example) -> None:
    kind = kind_of(example.value)
    assert kind, f"{example}: what is it? Add it to KINDS"
    next(check for name, _, check in KINDS if name == kind)(example.value)


def of(kind: str) -> list[dict[str, Any]]:
    return [example.value for example in EXAMPLES if kind_of(example.value) == kind]


def test_every_trigger_has_an_example() -> None:
    assert {value["type"] for value in of("trigger")} == set(SERVED_TRIGGERS)


def test_every_action_has_an_example_in_each_way_to_write_it() -> None:
    assert {action_variant(value) for value in of("action")} == set(ACTION_VARIANTS)
    assert {value["type"] for value in of("action")} == set(SERVED_ACTIONS)


def test_every_channel_has_an_example() -> None:
    assert {value["type"] for value in of("channel")} == set(channels.SERVED)


def test_every_signer_backend_has_an_example() -> None:
    assert {backend for value in of("signer backend") for backend in _backends_of(value)} == set(BACKENDS)


def test_every_operator_has_an_example_that_is_true_of_the_event_on_its_page() -> None:
    (event,) = of("event")
    lists = {AN_ID: AddressListView(AN_ID, "list", 1, frozenset({event["account"]}))}
    conditions = in_tables(DOCS / "filters.md")
    assert [condition["op"] for condition in conditions] == list(OPERATORS)
    for condition in [*conditions, *of("filter")]:
        assert evaluate(definition(filter=condition).filter, event, lists).met, condition


def test_operators_can_say_no_too() -> None:
    """Of an event in which everything is otherwise, no example is true but those that ask for a difference."""
    other = {"type": "x", "account": "y", "owner": "z", "lamports": 0, "lamports_delta": 1, "slot": 1}
    lists = {AN_ID: AddressListView(AN_ID, "list", 1, frozenset({"z"}))}
    met = {
        condition["op"]
        for condition in in_tables(DOCS / "filters.md")
        if evaluate(definition(filter=condition).filter, other, lists).met
    }
    assert met == {"ne", "not_contains", "exists"}
