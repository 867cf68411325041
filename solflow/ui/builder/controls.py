"""The controls of a card's form, each with its text, its choices and the problems that stand beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chain.decode.idl import Idl
from executions.explorer import Explorer
from solflow.ui.builder.idl_keys import Key, keys_of, names_of
from solflow.ui.builder.words import HELP, choice, label
from solflow.ui.text import grouped
from workflows.drafting.cards import CardAt
from workflows.drafting.fields import Field, fields_of
from workflows.drafting.problems import of_place, sentence
from workflows.drafting.values import UNITS, key_text, shown
from workflows.specs.amounts import parse_signed_lamports
from workflows.specs.errors import SpecError
from workflows.specs.fields import is_address


@dataclass(frozen=True, slots=True)
class Known:
    """What the team has, for the pickers: channels and IDLs by id, lists, and labels by address."""

    explorer: Explorer
    channels: Mapping[str, Any] = field(default_factory=dict)
    idls: Sequence[Any] = ()
    # Parsed, by id: of the trigger and of the chosen card.
    parsed_idls: Mapping[str, Idl] = field(default_factory=dict)
    lists: Sequence[Any] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Control:
    """`id` is that of the element, `name` the path that it edits. `same_as` says an amount in its other unit."""

    id: str
    name: str
    kind: str
    label: str
    help: str
    optional: bool
    text: str
    unit: str
    units: tuple[str, ...]
    choices: tuple[tuple[str, str], ...]
    ticked: tuple[str, ...]
    problems: tuple[str, ...]
    address: str = ""
    address_label: str = ""
    address_url: str = ""
    same_as: str = ""
    offers: tuple[str, ...] = ()


def element_id(path: str) -> str:
    """An id for the element of a path."""
    return "f-" + re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-")


def controls_of(card: CardAt, problems: Iterable[SpecError], known: Known) -> tuple[Control, ...]:
    """The form of a trigger, an action or a notification; none for a kind that is not chosen yet."""
    if card.model is None or not isinstance(card.part, Mapping):
        return ()
    found = tuple(problems)
    idl = known.parsed_idls.get(str(card.part.get("idl")))
    controls: list[Control] = []
    for one in fields_of(card.model):
        keys = None if idl is None else keys_of(card.part, one.name, idl)
        if keys is None:
            controls.append(_control(card, one, found, known, idl))
        else:
            controls += [_key_control(card, one.name, key, found, known) for key in keys]
    return tuple(controls)


def sentences(problems: Iterable[SpecError], path: str) -> tuple[str, ...]:
    """The problems at a place, as they stand beside it."""
    return tuple(sentence(problem) for problem in of_place(problems, path))


def _control(card: CardAt, one: Field, problems: Sequence[SpecError], known: Known, idl: Idl | None) -> Control:
    name = f"{card.path}.{one.name}"
    view = shown(one, card.part.get(one.name))
    address = view.text if one.kind == "address" and is_address(view.text) else ""
    return Control(
        id=element_id(name),
        name=name,
        kind=one.kind,
        label=label(one.name),
        help=HELP.get(one.name, ""),
        optional=not one.required and one.default in (None, (), {}),
        text=view.text,
        unit=view.unit,
        units=UNITS.get(one.kind, ()),
        choices=_choices(one, view.text, known),
        ticked=view.ticked,
        problems=sentences(problems, name),
        address=address,
        address_label=known.labels.get(address, ""),
        address_url=known.explorer.address(address) if address else "",
        same_as=_same_as(view.text, view.unit) if one.kind == "lamports" else "",
        offers=() if idl is None else names_of(idl, one.name),
    )


def _key_control(card: CardAt, name: str, key: Key, problems: Sequence[SpecError], known: Known) -> Control:
    path = f"{card.path}.{name}.{key.name}"
    text = key_text(card.part.get(name, {}).get(key.name), is_text=key.is_text)
    address = text if is_address(text) else ""
    return Control(
        id=element_id(path),
        name=f"{path}/text" if key.is_text else path,
        kind=key.kind,
        label=f"{'Account' if name == 'accounts' else 'Argument'} {key.name}",
        help=key.about,
        optional=key.optional,
        text=text,
        unit="",
        units=(),
        choices=(),
        ticked=(),
        problems=sentences(problems, path),
        address=address,
        address_label=known.labels.get(address, ""),
        address_url=known.explorer.address(address) if address else "",
    )


def _choices(one: Field, text: str, known: Known) -> tuple[tuple[str, str], ...]:
    if one.kind == "channel":
        return picked(text, [(key, f"{row.name} ({row.type})") for key, row in known.channels.items()], "a channel")
    if one.kind == "idl":
        return picked(text, [(str(row.pk), row.name) for row in known.idls], "an IDL")
    return tuple((value, choice(one.name, value)) for value in one.choices)


def picked(text: str, rows: Sequence[tuple[str, str]], what: str) -> tuple[tuple[str, str], ...]:
    """The choices of a picker: nothing yet, the rows, and what the definition names though it is not among them."""
    lost = [] if not text or any(text == key for key, _ in rows) else [(text, f"{text} (not there)")]
    return (("", f"Choose {what}"), *rows, *lost)


def _same_as(text: str, unit: str) -> str:
    lamports = parse_signed_lamports(f"{text} {unit}")
    return "" if lamports is None or unit != "SOL" else f"{grouped(lamports)} lamports"
