"""What the builder's buttons do to a definition: a word and a place, `remove actions[0]`. Pure.

add action <kind>             add notification          add filter
add condition <group's list>  add group <group's list>
remove <path>                 up <path>                 down <path>
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workflows.drafting.cards import cards_of, is_card, items_of, kinds_of
from workflows.drafting.conditions import members_at, new_condition
from workflows.drafting.fields import fields_of
from workflows.drafting.paths import (
    Document,
    NoSuchPlace,
    is_within,
    parent_of,
    steps_of,
    value_at,
    with_value,
    without,
)
from workflows.specs.parts import Part, type_of

TOP_GROUP = "filter.all"


class UnknownCommand(ValueError):
    """The words are none of the commands, or name a place that is not there."""


def obey(document: Document, command: str, selected: str) -> tuple[Document, str]:
    """The document after the command, and the card to show then; `selected` is the one that is shown now.

    Raises:
        UnknownCommand: nothing was done.
    """
    word, _, rest = command.partition(" ")
    try:
        return _COMMANDS[word](document, rest, selected)
    except (KeyError, NoSuchPlace) as error:
        raise UnknownCommand(command[:100]) from error


def new_part(kind: str, model: type[Part]) -> dict[str, Any]:
    """A part with everything that it must have, yet to be filled in."""
    started = {field.name: field.start for field in fields_of(model) if field.required}
    return {"type": kind.partition(".")[0], **started} if "type" in model.model_fields else started


def of_kind(part: Any, kind: str, model: type[Part]) -> dict[str, Any]:
    """The part as another kind: what both have stays."""
    held = part if isinstance(part, Mapping) else {}
    kept = {field.name: held[field.name] for field in fields_of(model) if field.name in held}
    return {**new_part(kind, model), **kept}


def _add(document: Document, what: str, selected: str) -> tuple[Document, str]:
    thing, _, place = what.partition(" ")
    if thing == "action":
        return _append(document, "actions", new_part(place, kinds_of("action")[place]))
    if thing == "notification":
        return _append(document, "notifications", new_part("", kinds_of("notification")["notification"]))
    condition = new_condition(type_of(document.get("trigger")))
    if thing == "filter":
        held = document.get("filter")
        members = [condition] if held is None else [held, condition]
        return with_value(document, "filter", {"all": members}), "filter"
    members = members_at(document, place)
    added = {"group": {"any": [condition]}, "condition": condition}[thing]
    return with_value(document, f"{place}[{len(members)}]", added), "filter"


def _append(document: Document, name: str, part: dict[str, Any]) -> tuple[Document, str]:
    items = items_of(document, name)
    return {**document, name: [*items, part]}, f"{name}[{len(items)}]"


def _remove(document: Document, path: str, selected: str) -> tuple[Document, str]:
    if path == "filter":
        return without(document, "filter"), selected
    if is_within(path, "filter"):
        return _remove_condition(document, path), "filter"
    left = without(document, path)
    if not is_card(path):
        return left, selected
    there = [card.path for card in cards_of(left)]
    return left, path if path in there else there[-1]


def _remove_condition(document: Document, path: str) -> Document:
    """Without the part of the filter; a group that has nothing left goes with it, and so does a `not`."""
    left: Document = without(document, path)
    above = parent_of(path)
    while above and value_at(left, above) in ([], {}):
        left, above = without(left, above), parent_of(above)
    return left


def _move(by: int) -> Callable[[Document, str, str], tuple[Document, str]]:
    def moved(document: Document, path: str, selected: str) -> tuple[Document, str]:
        list_path, index = parent_of(path), steps_of(path)[-1]
        items = value_at(document, list_path)
        if not isinstance(items, list) or not isinstance(index, int) or index >= len(items):
            raise NoSuchPlace(path)
        other = min(max(index + by, 0), len(items) - 1)
        items = list(items)
        items.insert(other, items.pop(index))
        return with_value(document, list_path, items), f"{list_path}[{other}]" if is_card(path) else selected

    return moved


_COMMANDS: Mapping[str, Callable[[Document, str, str], tuple[Document, str]]] = {
    "add": _add,
    "remove": _remove,
    "up": _move(-1),
    "down": _move(1),
}
