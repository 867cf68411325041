"""What became of a definition, card by card: what two versions do not have in common. Pure.

A card of a list is the same card where it is equal; between two of those, cards of one kind are taken for the same card
that changed, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from workflows.drafting.cards import CardAt, Role, card_at, items_of
from workflows.drafting.paths import Document

Change = Literal["added", "removed", "changed", "moved"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A key of a card. None where it is left out, so that its default stands."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class CardChange:
    """A card with what became of it. `number` is its place in its list from 1: the newer one, or where it was removed
    the older one. `fields` are the keys that differ, for a card that stayed of its kind."""

    role: Role
    change: Change
    number: int
    before: Any
    after: Any
    fields: tuple[FieldChange, ...] = ()


def differences(before: Document, after: Document) -> tuple[CardChange, ...]:
    """From the older document to the newer one, in the order of the pipeline; empty when they mean the same."""
    changes = [*_single(before, after, "trigger"), *_single(before, after, "filter")]
    for name in ("actions", "notifications"):
        changes += _listed(_cards(before, name), _cards(after, name))
    return tuple(changes)


def _single(before: Document, after: Document, name: str) -> list[CardChange]:
    old, new = card_at(before, name), card_at(after, name)
    if old.part == new.part:
        return []
    if old.part is None or new.part is None:
        return [CardChange(old.role, "added" if old.part is None else "removed", 1, old.part, new.part)]
    return [_changed(old, new, 1)]


def _cards(document: Document, name: str) -> list[CardAt]:
    return [card_at(document, f"{name}[{index}]") for index in range(len(items_of(document, name)))]


def _listed(old: Sequence[CardAt], new: Sequence[CardAt]) -> list[CardChange]:
    # Parts hold lists and objects, which cannot be hashed; their text can.
    matcher = SequenceMatcher(
        None, [repr(card.part) for card in old], [repr(card.part) for card in new], autojunk=False
    )
    gone: list[tuple[int, CardAt]] = []
    come: list[tuple[int, CardAt]] = []
    changes: list[CardChange] = []
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            continue
        left = list(enumerate(old[old_from:old_to], start=old_from + 1))
        for number, card in enumerate(new[new_from:new_to], start=new_from + 1):
            same = next((one for one in left if one[1].kind == card.kind), None)
            if same is None:
                come.append((number, card))
            else:
                left.remove(same)
                changes.append(_changed(same[1], card, number))
        gone += left
    changes += _come_and_gone(gone, come)
    return sorted(changes, key=lambda change: change.number)


def _come_and_gone(gone: list[tuple[int, CardAt]], come: list[tuple[int, CardAt]]) -> list[CardChange]:
    changes = []
    for number, card in come:
        same = next((one for one in gone if one[1].part == card.part), None)
        if same is not None:
            gone.remove(same)
        before = None if same is None else card.part
        changes.append(CardChange(card.role, "added" if same is None else "moved", number, before, card.part))
    return changes + [CardChange(card.role, "removed", number, card.part, None) for number, card in gone]


def _changed(old: CardAt, new: CardAt, number: int) -> CardChange:
    fields = _fields(old.part, new.part) if new.role != "filter" and old.kind == new.kind else ()
    return CardChange(new.role, "changed", number, old.part, new.part, fields)


def _fields(old: Any, new: Any) -> tuple[FieldChange, ...]:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return ()
    names = dict.fromkeys([*old, *new])
    return tuple(FieldChange(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))
