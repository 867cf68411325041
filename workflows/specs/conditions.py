"""The filter: conditions on the event, nested by `all`, `any` and `not`. Pure; `workflows.matching` evaluates it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from workflows.specs.amounts import parse_signed_lamports
from workflows.specs.fields import canonical_id, not_empty
from workflows.specs.operators import TAKES, Operator, misfit
from workflows.specs.parts import TAG_MARK, Part, chosen_by
from workflows.specs.texts import refusal

MAX_CONDITIONS = 100
MAX_PATTERNS = 10  # each may cost 0.1 s on a hostile text
MAX_FILTER_DEPTH = 8

Scalar = str | int | float | bool | None

# Where "0.5 SOL" may be written for 500000000.
LAMPORT_FIELDS = frozenset({"event.lamports", "event.previous_lamports", "event.lamports_delta", "event.fee_lamports"})

_FIELD = re.compile(r"event(?:\.[A-Za-z0-9_-]{1,64}){1,10}")


def _field(text: str) -> str:
    if not _FIELD.fullmatch(text):
        raise refusal("bad_field")
    return text


class Condition(Part):
    """One question to one field of the event. `value` is absent for `exists` and `changed`."""

    field: Annotated[str, StringConstraints(max_length=700), AfterValidator(_field)]
    op: Operator
    value: Annotated[
        Scalar | tuple[Scalar, ...],
        PlainValidator(lambda value: tuple(value) if isinstance(value, list) else value),
        PlainSerializer(lambda value: list(value) if isinstance(value, tuple) else value),
        WithJsonSchema(
            {"description": "A scalar; a list for in, not_in; an address list's id for in_list, not_in_list"}
        ),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _lamports_from_text(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        field, value = data.get("field"), data.get("value")
        if not isinstance(field, str) or field not in LAMPORT_FIELDS or not isinstance(value, str):
            return data
        lamports = parse_signed_lamports(value)
        return data if lamports is None else {**data, "value": lamports}

    @model_validator(mode="after")
    def _value_fits_operator(self) -> Self:
        takes = TAKES[self.op]
        if takes != "nothing" and "value" not in self.model_fields_set:
            raise refusal("missing", at="value")
        if takes == "nothing" and misfit(self.op, self.value):
            raise refusal("no_value_taken", at="value", op=self.op)
        if (allowed := misfit(self.op, self.value)) is not None:
            raise refusal("wrong_value", at="value", allowed=allowed, op=self.op)
        # One spelling for what means the same; the model is frozen for everybody else.
        if takes == "nothing":
            object.__setattr__(self, "value", None)
        elif takes == "address_list" and isinstance(self.value, str):
            object.__setattr__(self, "value", canonical_id(self.value))
        return self

    @model_serializer(mode="wrap")
    def _leave_out_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # null is a value here, unless the operator takes none.
        dumped: dict[str, Any] = handler(self)
        if TAKES[self.op] == "nothing":
            del dumped["value"]
        return dumped


Members = Annotated[
    tuple["Filter", ...],
    Field(strict=False, max_length=MAX_CONDITIONS, json_schema_extra={"minItems": 1}),
    AfterValidator(not_empty),
]


class AllOf(Part):
    """True when every one is; they are asked in their order, up to the first that is not."""

    all: Members


class AnyOf(Part):
    """True when one is; they are asked in their order, up to the first that is."""

    any: Members


class Not(Part):
    """True when the one below is not, also when that asks for a field that is missing."""

    negated: Annotated[Filter, Field(alias="not")]


FILTER_PARTS: Mapping[str, type[Part]] = {"condition": Condition, "all": AllOf, "any": AnyOf, "not": Not}


def _tag(value: Any) -> str | None:
    if isinstance(value, Part):
        return next((TAG_MARK + name for name, part in FILTER_PARTS.items() if type(value) is part), None)
    if not isinstance(value, Mapping) or not value:
        return None
    return TAG_MARK + next((key for key in ("all", "any", "not") if key in value), "condition")


Filter = Annotated[
    Annotated[Condition, Tag(TAG_MARK + "condition")]
    | Annotated[AllOf, Tag(TAG_MARK + "all")]
    | Annotated[AnyOf, Tag(TAG_MARK + "any")]
    | Annotated[Not, Tag(TAG_MARK + "not")],
    chosen_by(_tag),
]
for _part in (AllOf, AnyOf, Not):
    _part.model_rebuild()


@dataclass(frozen=True, slots=True)
class PlacedCondition:
    """A condition, its path, and how many all, any and not lie above it."""

    condition: Condition
    path: str
    depth: int


def placed_conditions(part: Filter, path: str = "filter", depth: int = 0) -> Iterator[PlacedCondition]:
    """Every condition of a filter, in the order in which they are asked."""
    if isinstance(part, Condition):
        yield PlacedCondition(part, path, depth)
    elif isinstance(part, Not):
        yield from placed_conditions(part.negated, f"{path}.not", depth + 1)
    else:
        name, members = ("all", part.all) if isinstance(part, AllOf) else ("any", part.any)
        for index, member in enumerate(members):
            yield from placed_conditions(member, f"{path}.{name}[{index}]", depth + 1)
