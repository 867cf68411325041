"""No document, however broken, makes parsing raise anything but SpecErrors, worded by our table."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import strategies
from workflows.specs.errors import SpecErrors
from workflows.specs.settings import parse_settings
from workflows.specs.workflow import parse

JUNK: list[Any] = [
    *(None, True, -1, 0, 2**64, 1.5, float("nan")),
    *("", "x", "\x00", "{{", "{{ event.x }}"),
    *([], [[]], {}, {"type": "memo"}),
]


def damaged(document: Any, seed: int) -> Any:
    """The document with one to three places replaced, removed or added at random."""
    chance = random.Random(seed)
    document = copy.deepcopy(document)
    for _ in range(chance.randint(1, 3)):
        place = document
        while isinstance(place, dict | list) and place and chance.random() < 0.8:
            key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not isinstance(place[key], dict | list) or chance.random() < 0.3:
                place[key] = copy.deepcopy(chance.choice(JUNK))
                break
            place = place[key]
        else:
            if isinstance(place, dict):
                place[chance.choice(["type", "to", "zzz", "\ud800", "a.b", 7])] = chance.choice(JUNK)
            elif isinstance(place, list):
                place.append(chance.choice(JUNK))
    return document


@settings(max_examples=400)
@given(strategies.definitions(), st.integers())
def test_a_damaged_definition_is_parsed_or_refused_with_paths(document: dict[str, Any], seed: int) -> None:
    try:
        parse(damaged(document, seed))
    except SpecErrors as refused:
        assert refused.errors
        for error in refused.errors:
            assert error.code != "invalid"
            assert error.detail.startswith(error.path or "the document")


@given(strategies.settings(), st.integers())
def test_damaged_settings_are_parsed_or_refused_with_paths(document: dict[str, Any], seed: int) -> None:
    try:
        parse_settings(damaged(document, seed))
    except SpecErrors as refused:
        assert all(error.code != "invalid" for error in refused.errors)


@given(st.one_of(st.text(), st.binary()))
def test_any_text_is_refused_as_a_document(document: str | bytes) -> None:
    with pytest.raises(SpecErrors):
        parse(document)
