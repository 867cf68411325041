"""What was posted for a card, put into the definition. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.drafting.cards import CardAt, card_at, is_card, kinds_of
from workflows.drafting.commands import of_kind
from workflows.drafting.conditions import read_filter, rows_of
from workflows.drafting.fields import fields_of
from workflows.drafting.paths import Document, has, with_value
from workflows.drafting.values import Posted, read
from workflows.specs.parts import type_of

# "/" is in no path.
KIND = "/kind"


def read_card(document: Document, path: str, posted: Posted) -> Document:
    """The document with the posted controls of the card at `path`; unchanged when there is no such card.

    A control is posted under the path of what it edits (`actions[0].to`). A new kind keeps what both kinds have.
    """
    if not is_card(path) or (path != "trigger" and not has(document, path)):
        return document
    card = card_at(document, path)
    if card.role == "filter":
        trigger_type = type_of(document.get("trigger"))
        read_back: Document = read_filter(document, rows_of(card.part, trigger_type), posted, trigger_type)
        return read_back
    part = _read_fields(card, posted)
    kind = posted.get(path + KIND)
    kinds = kinds_of(card.role)
    if kind is not None and kind in kinds and kind != card.kind:
        part = of_kind(part, kind, kinds[kind])
    changed: Document = with_value(document, path, part)
    return changed


def _read_fields(card: CardAt, posted: Posted) -> Any:
    if card.model is None or not isinstance(card.part, Mapping):
        return card.part
    part = dict(card.part)
    for field in fields_of(card.model):
        value = read(field, posted, f"{card.path}.{field.name}", part.get(field.name))
        if value is None:
            part.pop(field.name, None)
        else:
            part[field.name] = value
    return part
