"""JSON for the database: NUL characters are replaced, everything else is kept."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from executions.stored_json import dumps


def test_a_nul_becomes_a_replacement_character() -> None:
    """A program's log can hold one, and jsonb refuses it."""
    assert json.loads(dumps({"logs": ["a\x00b"]})) == {"logs": ["a\ufffdb"]}


@given(st.text(alphabet=st.sampled_from('\\u0\x00ab"')))
def test_only_nul_characters_are_replaced(text: str) -> None:
    """A text that spells an escape is not one."""
    assert json.loads(dumps(text)) == text.replace("\x00", "\ufffd")
