"""The whole builder: the cards of the pipeline, the inspector of the one that is chosen, and what is wrong where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solflow.ui.builder.controls import Control, Known, controls_of, element_id
from solflow.ui.builder.filter_rows import FilterRow, filter_rows
from solflow.ui.builder.idl_keys import event_fields
from solflow.ui.builder.words import kind_words
from solflow.ui.definition import Card, Condition, action_card, condition, notification_card, trigger_card
from workflows.drafting.cards import CardAt, cards_of, items_of, kinds_of
from workflows.drafting.conditions import rows_of
from workflows.drafting.paths import Document, is_within, value_at
from workflows.drafting.problems import beside, of_place
from workflows.specs.actions import MAX_ACTIONS
from workflows.specs.errors import SpecError
from workflows.specs.event_fields import EVENT_FIELDS, EventField
from workflows.specs.notifications import MAX_NOTIFICATIONS
from workflows.specs.parts import type_of

FILTER_CARD = Card("filter", "funnel", "Filter", "Only when")
NO_FILTER_CARD = Card("filter", "funnel", "Filter", "Every event passes")


@dataclass(frozen=True, slots=True)
class Node:
    """A card of the pipeline. `number` counts from the top; `may_rise` and `may_sink` say whether it can be moved."""

    path: str
    id: str
    role: str
    number: int
    card: Card
    condition: Condition | None
    problems: int
    selected: bool
    may_rise: bool = False
    may_sink: bool = False


@dataclass(frozen=True, slots=True)
class Inspector:
    """The form of the chosen card. `above` are its problems that belong to none of the controls."""

    node: Node
    kind: str
    kinds: tuple[tuple[str, str], ...]
    controls: tuple[Control, ...]
    rows: FilterRow | None
    above: tuple[Above, ...]
    problems: int


@dataclass(frozen=True, slots=True)
class Above:
    """A problem without a control; `removable` is a key that could be taken out."""

    detail: str
    removable: str = ""


@dataclass(frozen=True, slots=True)
class Builder:
    """`elsewhere` are problems of no card: of the document, or of a list as a whole."""

    trigger: Node
    filter: Node
    actions: tuple[Node, ...]
    notifications: tuple[Node, ...]
    inspector: Inspector
    elsewhere: tuple[str, ...]
    problems: int
    steps: int
    action_kinds: tuple[tuple[str, str], ...]
    event_fields: tuple[EventField, ...]
    may_add_action: bool
    may_add_notification: bool


def builder_of(document: Document, problems: Sequence[SpecError], selected: str, known: Known) -> Builder:
    """The page of a definition, right or wrong; a card that is not there is as if the trigger was chosen."""
    cards = cards_of(document)
    chosen = next((card for card in cards if card.path == selected), cards[0])
    nodes = {
        card.path: _node(card, number, problems, document, known, selected=card is chosen)
        for number, card in enumerate(cards, start=1)
    }
    by_role = {role: tuple(node for node in nodes.values() if node.role == role) for role in ("action", "notification")}
    elsewhere = [one for one in problems if not any(is_within(one.path, card.path) for card in cards)]
    return Builder(
        trigger=nodes["trigger"],
        filter=nodes["filter"],
        actions=by_role["action"],
        notifications=by_role["notification"],
        inspector=_inspector(chosen, nodes[chosen.path], document, problems, known),
        elsewhere=tuple(one.detail for one in elsewhere),
        problems=len(problems),
        steps=len(cards),
        action_kinds=_named_kinds(kinds_of("action")),
        event_fields=_event_fields(document, known),
        may_add_action=len(by_role["action"]) < MAX_ACTIONS,
        may_add_notification=len(by_role["notification"]) < MAX_NOTIFICATIONS,
    )


def _event_fields(document: Document, known: Known) -> tuple[EventField, ...]:
    """What the trigger's events hold; of an event of an IDL also what lies in it."""
    trigger = document.get("trigger")
    fields = EVENT_FIELDS.get(type_of(trigger) or "", ())
    idl = known.parsed_idls.get(str(value_at(document, "trigger.idl")))
    return fields if idl is None else (*fields, *event_fields(idl, value_at(document, "trigger.event")))


def _node(
    card: CardAt, number: int, problems: Sequence[SpecError], document: Document, known: Known, *, selected: bool
) -> Node:
    siblings = len(items_of(document, card.path.partition("[")[0]))
    first, last = card.path.endswith("[0]"), card.path.endswith(f"[{siblings - 1}]")
    is_listed = card.role in ("action", "notification")
    return Node(
        path=card.path,
        id=element_id(f"node.{card.path}"),
        role=card.role,
        number=number,
        card=_card(card, known),
        condition=condition(card.part) if card.role == "filter" and card.part is not None else None,
        problems=len(of_place(problems, card.path)),
        selected=selected,
        may_rise=is_listed and not first,
        may_sink=is_listed and not last,
    )


def _card(card: CardAt, known: Known) -> Card:
    match card.role:
        case "trigger":
            return trigger_card(card.part)
        case "action":
            return action_card(card.part)
        case "notification":
            return notification_card(card.part, known.channels)
        case "filter":
            return NO_FILTER_CARD if card.part is None else FILTER_CARD


def _inspector(card: CardAt, node: Node, document: Document, problems: Sequence[SpecError], known: Known) -> Inspector:
    trigger_type = type_of(document.get("trigger"))
    rows = None
    if card.role == "filter" and card.part is not None:
        rows = filter_rows(rows_of(card.part, trigger_type), trigger_type, problems, known)
    controls = controls_of(card, problems, known)
    # What stands behind "/" in a control's name says how it is read, not where.
    places = [control.name.partition("/")[0] for control in controls] if rows is None else [card.path]
    kinds = kinds_of(card.role)
    return Inspector(
        node=node,
        kind=card.kind or "",
        kinds=_named_kinds(kinds) if card.role in ("trigger", "action") else (),
        controls=controls,
        rows=rows,
        above=tuple(_above(one) for one in beside(problems, card.path, places)),
        problems=node.problems,
    )


def _above(problem: SpecError) -> Above:
    return Above(problem.detail, problem.path if problem.code == "unknown_key" else "")


def _named_kinds(kinds: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((kind, kind_words(kind)) for kind in kinds)
