"""What became of a definition, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from solflow.ui.builder.words import label
from solflow.ui.code import pretty_json
from solflow.ui.definition import Card, Condition, action_card, condition, fact, notification_card, trigger_card
from workflows.drafting.differences import CardChange, FieldChange, differences
from workflows.drafting.paths import Document

WORDS = {"added": "added", "removed": "removed", "changed": "changed", "moved": "moved"}
NOT_SET = "not set"
_FILTER = Card("filter", "funnel", "Filter", "Only when")
_LINE_CSS = {"+": "ins", "-": "del", " ": "ctx"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a comparison: `ins`, `del` or `ctx`."""

    css: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldWords:
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangeWords:
    """A card with what became of it. `was` is the older title of one that became another kind, `lines` a filter's."""

    card: Card
    where: str
    word: str
    was: str
    fields: tuple[FieldWords, ...]
    lines: tuple[Line, ...]


def changes_in_words(before: Document, after: Document, channels: Mapping[str, Any]) -> list[ChangeWords]:
    """Every card that differs, in the order of the pipeline; `channels` give their names by id."""
    return [_words(change, channels) for change in differences(before, after)]


def json_lines(before: Document, after: Document) -> list[Line]:
    """The same as lines of JSON, with three lines around each change."""
    old, new = pretty_json(before).splitlines(), pretty_json(after).splitlines()
    return list(_lines(old, new, context=3))


def _words(change: CardChange, channels: Mapping[str, Any]) -> ChangeWords:
    part = change.before if change.after is None else change.after
    card = _card(change, part, channels)
    was = "" if change.before is None else _card(change, change.before, channels).title
    is_listed = change.role in ("action", "notification")
    return ChangeWords(
        card=card,
        where=f"{change.role.capitalize()} {change.number}" if is_listed else change.role.capitalize(),
        word=WORDS[change.change],
        was=was if change.change == "changed" and was != card.title and not change.fields else "",
        fields=tuple(_field(one, channels) for one in change.fields),
        lines=tuple(_filter_lines(change)) if change.role == "filter" else (),
    )


def _card(change: CardChange, part: Any, channels: Mapping[str, Any]) -> Card:
    match change.role:
        case "trigger":
            return trigger_card(part)
        case "action":
            return action_card(part)
        case "notification":
            return notification_card(part, channels)
        case "filter":
            return _FILTER


def _field(change: FieldChange, channels: Mapping[str, Any]) -> FieldWords:
    return FieldWords(
        label(change.name), _value(change.name, change.before, channels), _value(change.name, change.after, channels)
    )


def _value(name: str, value: Any, channels: Mapping[str, Any]) -> str:
    if value is None:
        return NOT_SET
    if name == "channel" and str(value) in channels:
        return str(channels[str(value)].name)
    return fact(name, value).value


def _filter_lines(change: CardChange) -> Iterator[Line]:
    old, new = ([] if part is None else list(_spoken(condition(part))) for part in (change.before, change.after))
    return _lines(old, new, context=100)


def _spoken(part: Condition, depth: int = 0) -> Iterator[str]:
    indent = "    " * depth
    if not part.group:
        yield f"{indent}{part.name} {part.operator} {part.value}".rstrip()
        return
    yield f"{indent}{part.group}"
    for child in part.children:
        yield from _spoken(child, depth + 1)


def _lines(old: list[str], new: list[str], *, context: int) -> Iterator[Line]:
    for text in list(difflib.unified_diff(old, new, lineterm="", n=context))[2:]:
        if not text.startswith("@@"):
            yield Line(_LINE_CSS[text[:1]], text[1:])
        elif context < 100:
            yield Line("ctx", "…")
