"""The cards of the pipeline: a trigger, a filter, actions, notifications, and the kinds that each can be. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workflows.drafting.paths import Document, value_at
from workflows.specs.actions import ACTION_VARIANTS, action_variant
from workflows.specs.notifications import Notification
from workflows.specs.parts import Part, type_of
from workflows.specs.triggers import TRIGGER_TYPES
from workflows.specs.workflow import WorkflowSpec

Role = Literal["trigger", "filter", "action", "notification"]
LISTS: Mapping[str, Role] = {"actions": "action", "notifications": "notification"}

_CARD = re.compile(r"trigger|filter|(?:actions|notifications)\[\d{1,3}\]")


@dataclass(frozen=True, slots=True)
class CardAt:
    """A card by its path. `kind` is its key among `kinds_of(role)`; None when the document names none that there is."""

    path: str
    role: Role
    part: Any
    kind: str | None

    @property
    def model(self) -> type[Part] | None:
        """The spec of its kind."""
        return kinds_of(self.role).get(self.kind) if self.kind is not None else None


def kinds_of(role: Role) -> Mapping[str, type[Part]]:
    """The kinds of a role with their specs: what its type field offers. The filter has none."""
    match role:
        case "trigger":
            return TRIGGER_TYPES
        case "action":
            return ACTION_VARIANTS
        case "notification":
            return {"notification": Notification}
        case "filter":
            return {}


def cards_of(document: Document) -> tuple[CardAt, ...]:
    """Every card, top to bottom. Trigger and filter are always there, to be filled in."""
    listed = [
        f"{name}[{index}]" for name in LISTS for index in range(len(items_of(document, name)))
    ]  # actions before notifications
    return tuple(card_at(document, path) for path in ("trigger", "filter", *listed))


def card_at(document: Document, path: str) -> CardAt:
    """The card of a path that names one."""
    part = value_at(document, path)
    role = role_of(path)
    return CardAt(path, role, part, _kind(role, part))


def is_card(path: str) -> bool:
    """Whether the path is that of a card, there or not."""
    return _CARD.fullmatch(path) is not None


def role_of(path: str) -> Role:
    """The role of the card at this path."""
    name = path.partition("[")[0]
    return LISTS.get(name, "trigger" if name == "trigger" else "filter")


def items_of(document: Document, name: str) -> list[Any]:
    """A list of the document, empty when it is anything else."""
    items = document.get(name)
    return items if isinstance(items, list) else []


def ordered(document: Document) -> Document:
    """The same document with its keys in the order of the specs: databases keep the keys of JSON in their own."""
    parts = {name: document[name] for name in _names(WorkflowSpec) if name in document}
    for name, value in {**parts, **document}.items():
        if name in LISTS and isinstance(value, list):
            parts[name] = [_ordered_part(LISTS[name], item) for item in value]
        elif name == "filter":
            parts[name] = _ordered_filter(value)
        else:
            parts[name] = _ordered_part("trigger", value) if name == "trigger" else value
    return parts


def _kind(role: Role, part: Any) -> str | None:
    if role == "action":
        return action_variant(part)
    if role == "notification":
        return "notification" if isinstance(part, Mapping) else None
    kind = type_of(part)
    return kind if kind in kinds_of(role) else None


def _ordered_part(role: Role, part: Any) -> Any:
    kind = _kind(role, part)
    if kind is None or not isinstance(part, Mapping):
        return part
    names = [name for name in _names(kinds_of(role)[kind]) if name in part]
    return {name: part[name] for name in [*names, *part]}


def _ordered_filter(part: Any) -> Any:
    if isinstance(part, list):
        return [_ordered_filter(member) for member in part]
    if not isinstance(part, Mapping):
        return part
    names = [name for name in ("all", "any", "not", "field", "op", "value") if name in part]
    return {
        name: _ordered_filter(part[name]) if name in ("all", "any", "not") else part[name] for name in [*names, *part]
    }


def _names(model: type[Part]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
