"""What the form of a card asks for, read from the model of its kind: a new trigger or action needs nothing here. Pure.

A model's field becomes a control by the type of value that it holds (an address, lamports, a choice, …). A type that is
not known here is edited as JSON.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import StringConstraints

from workflows.specs import amounts, fields
from workflows.specs.parts import Part

Kind = Literal[
    "address", "addresses", "lamports", "tokens", "choice", "choices", "switch", "number",
    "code", "line", "text", "color", "channel", "idl", "json",
]  # fmt: skip

LONG_TEXT = 257

# The types of values that have a control of their own, by the names that specs give them.
_KINDS: Sequence[tuple[Any, Kind]] = (
    (fields.Address, "address"),
    (fields.OpenAddress, "address"),
    (amounts.Lamports, "lamports"),
    (amounts.ActionLamports, "lamports"),
    (amounts.KeptLamports, "lamports"),
    (amounts.TokenAmount, "tokens"),
    (amounts.ActionTokens, "tokens"),
    (amounts.KeptTokens, "tokens"),
    (fields.ChannelId, "channel"),
    (fields.IdlId, "idl"),
    (fields.Color, "color"),
    (fields.Signature, "code"),
    (fields.RegularExpression, "code"),
    (fields.Cron, "code"),
    (fields.Name, "code"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One control: the key that it edits, how, and the value that stands when the key is left out."""

    name: str
    kind: Kind
    required: bool
    default: Any = None
    choices: tuple[str, ...] = ()

    @property
    def start(self) -> Any:
        """What a new part holds here: nothing yet, in the shape that the kind has."""
        if self.kind == "choices":
            return list(self.choices[:1])
        return [] if self.kind in ("json", "addresses") else ""


@cache
def fields_of(model: type[Part]) -> tuple[Field, ...]:
    """The controls of a kind of part, in the order of its model. Its type is chosen above them."""
    hints = get_type_hints(model, include_extras=True)
    return tuple(
        _field(info.alias or name, hints[name], required=info.is_required(), default=info.default)
        for name, info in model.model_fields.items()
        if name != "type"
    )


def _field(name: str, hint: Any, *, required: bool, default: Any) -> Field:
    kind, choices = _kind(_without_none(hint))
    return Field(name, kind, required, None if required else default, choices)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        members = [member for member in get_args(hint) if member is not type(None)]
        return members[0] if len(members) == 1 else hint
    return hint


def _kind(hint: Any) -> tuple[Kind, tuple[str, ...]]:
    for known, kind in _KINDS:
        if hint == known:
            return kind, ()
    bare, limits = _unwrapped(hint)
    bare = _without_none(bare)
    if bare is bool:
        return "switch", ()
    if bare is int:
        return "number", ()
    if get_origin(bare) is Literal:
        return "choice", get_args(bare)
    if get_origin(bare) is tuple:
        return _list_kind(get_args(bare)[0])
    if bare is str:
        longest = max((limit.max_length or 0 for limit in limits if isinstance(limit, StringConstraints)), default=0)
        return ("text" if longest >= LONG_TEXT else "line"), ()
    return "json", ()


def _list_kind(member: Any) -> tuple[Kind, tuple[str, ...]]:
    if member == fields.Address:
        return "addresses", ()
    return ("choices", get_args(member)) if get_origin(member) is Literal else ("json", ())


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(hint) is Annotated:
        bare, *limits = get_args(hint)
        return bare, tuple(limits)
    return hint, ()
