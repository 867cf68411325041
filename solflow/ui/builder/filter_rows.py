"""The rows of the filter's form, with their choices and problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solflow.ui.builder.controls import Known, element_id, picked, sentences
from solflow.ui.definition import OPERATOR_WORDS
from workflows.drafting.conditions import Row
from workflows.drafting.problems import beside
from workflows.specs.errors import SpecError
from workflows.specs.event_fields import EVENT_FIELDS, EventField

MODES = (("all", "All of"), ("any", "Any of"), ("none", "None of"), ("not_all", "Not all of"))


@dataclass(frozen=True, slots=True)
class FilterRow:
    """A row with what its controls offer. `fields` is empty where the field is typed, for it may lie deeper."""

    row: Row
    id: str
    about: str
    children: tuple[FilterRow, ...]
    problems: tuple[str, ...]
    wrong: frozenset[str]
    fields: tuple[EventField, ...]
    operators: tuple[tuple[str, str], ...]
    lists: tuple[tuple[str, str], ...]


def filter_rows(row: Row, trigger_type: str | None, problems: Sequence[SpecError], known: Known) -> FilterRow:
    """The row and all below it. Problems of a group's members stand beside those."""
    fields = EVENT_FIELDS.get(trigger_type or "", ())
    children = tuple(filter_rows(child, trigger_type, problems, known) for child in row.children)
    own = beside(problems, row.path, [child.row.path for child in children])
    wrong = {key for key in ("field", "op", "value") if sentences(own, f"{row.path}.{key}")}
    return FilterRow(
        row=row,
        id=element_id(row.path),
        about=row.field or "this condition",
        children=children,
        problems=tuple(text for problem in own for text in sentences([problem], problem.path or row.path)),
        wrong=frozenset(wrong),
        fields=_offered(row, fields),
        operators=_operators(row),
        lists=_lists(row, known),
    )


def _offered(row: Row, fields: tuple[EventField, ...]) -> tuple[EventField, ...]:
    """The fields of a select; none when something deeper may be meant, which is typed with suggestions."""
    is_known = any(one.path == row.field for one in fields)
    return fields if is_known and not any(one.open for one in fields) else ()


def _operators(row: Row) -> tuple[tuple[str, str], ...]:
    offered = [(name, OPERATOR_WORDS.get(name, name)) for name in row.operators]
    if any(row.op == name for name, _ in offered):
        return tuple(offered)
    return ((row.op, OPERATOR_WORDS.get(row.op, row.op or "Choose")), *offered)


def _lists(row: Row, known: Known) -> tuple[tuple[str, str], ...]:
    if row.control != "address_list":
        return ()
    return picked(row.text, [(str(one.pk), f"{one.name} ({one.size})") for one in known.lists], "a list")
