"""Whatever a draft holds, and whatever is posted for it, the builder shows it and an edit makes another document."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from executions.explorer import Explorer
from solflow.ui.builder.controls import Known
from solflow.ui.builder.page import builder_of
from workflows.drafting.cards import ordered
from workflows.drafting.commands import UnknownCommand, obey
from workflows.drafting.forms import read_card
from workflows.specs.actions import ACTION_TYPES
from workflows.specs.errors import SpecErrors
from workflows.specs.operators import OPERATORS
from workflows.specs.triggers import TRIGGER_TYPES
from workflows.specs.workflow import parse

KEYS = ["schema", "trigger", "filter", "actions", "notifications", "type", "all", "any", "not", "field", "op", "value"]
KEYS += ["address", "lamports", "to", "on", "channel", "idl", "accounts", "min_change", "cron", "odd key", ""]
WORDS = [*TRIGGER_TYPES, *ACTION_TYPES, *OPERATORS, "event.slot", "event.data.x", "0.5 SOL", "max", "{{ event.x }}", ""]
CARDS = ["trigger", "filter", "actions[0]", "actions[1]", "notifications[0]", "actions[999]", "nothing"]
COMMANDS = ["add action memo", "add notification", "add filter", "add condition filter.all", "add group filter.any"]
COMMANDS += [
    "remove filter",
    "remove filter.all[0]",
    "remove actions[0]",
    "up actions[1]",
    "down filter.all[0]",
    "up x",
]
COMMANDS += [
    "remove ",
    "remove a.b[",
    "add",
    "up filter",
    "down actions",
    "remove trigger.type",
    "add condition trigger",
]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(WORDS) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
)
documents = st.dictionaries(st.sampled_from(KEYS[:5]), values, max_size=5)


@st.composite
def forms(draw: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    for _ in range(draw(st.integers(0, 4))):
        card = draw(st.sampled_from(CARDS))
        name = draw(st.sampled_from(["/kind", ".type", ".all[0].op", ".all[0]", "/mode", ".value", ".on", ".lamports"]))
        data.appendlist(card + name, draw(st.sampled_from(WORDS) | st.text(max_size=5)))
    return data


@given(documents, st.sampled_from(CARDS), forms(), st.sampled_from(COMMANDS))
def test_every_draft_is_shown_and_every_edit_leaves_a_document(
    document: dict[str, Any], card: str, form: QueryDict, command: str
) -> None:
    before = json.dumps(document)
    edited = read_card(document, card, form)
    with suppress(UnknownCommand):
        edited, card = obey(edited, command, card)
    for one in (document, edited):
        try:
            parse(one)
            problems = ()
        except SpecErrors as error:
            problems = error.errors
        assert ordered(one) == one
        assert builder_of(ordered(one), problems, card, Known(Explorer("devnet"))).problems == len(problems)
    assert json.dumps(document) == before
