"""How a status is declared: its values, and the moves that the database allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pgtrigger


def choices(enum: type) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in enum]  # type: ignore[attr-defined]


def only(moves: Mapping[Any, Collection[Any]]) -> pgtrigger.FSM:
    """The table of executions.states, kept by the database: a statement that breaks it fails, whoever wrote it."""
    pairs = [(old.value, new.value) for old, allowed in moves.items() for new in sorted(allowed)]
    moved = pgtrigger.Q(old__status__df=pgtrigger.F("new__status"))
    return pgtrigger.FSM(
        name="moves_as_the_table_says", field="status", transitions=pairs, separator=">", condition=moved
    )
