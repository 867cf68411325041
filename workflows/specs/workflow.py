"""The definition of a workflow: the one place where it is parsed, checked, written and described.

    parse(document)      JSON or plain values -> WorkflowSpec, or SpecErrors with everything that is wrong
    dump(spec)           WorkflowSpec -> normalised plain values; parse(dump(spec)) == spec
    readable(stored)     a stored definition in the order of the spec
    upgrade(document)    a document of an older schema -> the current one
    json_schema()        what editors and API clients may know beforehand

API, forms, import and worker all hold the same class. A stored definition is parsed again when it is read.
Whether it can run yet is asked when it is enabled (`workflows.specs.served`); whether it stays within its own limits,
when it is saved (`workflows.specs.limits`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from workflows.specs.actions import ACTION_TYPES, MAX_ACTIONS, Action, CallProgramByIdl, CallProgramRaw
from workflows.specs.conditions import (
    FILTER_PARTS,
    MAX_CONDITIONS,
    MAX_FILTER_DEPTH,
    MAX_PATTERNS,
    Filter,
    placed_conditions,
)
from workflows.specs.documents import load
from workflows.specs.errors import SpecError, SpecErrors
from workflows.specs.filter_types import type_problems
from workflows.specs.notifications import MAX_NOTIFICATIONS, Notification
from workflows.specs.parts import Part
from workflows.specs.texts import spec_error
from workflows.specs.triggers import TRIGGER_TYPES, Trigger
from workflows.specs.validation import keys_of, validate

SCHEMA_VERSION = 1


class WorkflowSpec(Part):
    """What to watch, what to ask of it, what to do, whom to tell."""

    schema_version: Annotated[Literal[1], Field(alias="schema")] = 1
    trigger: Trigger
    filter: Filter | None = None
    actions: Annotated[tuple[Action, ...], Field(strict=False, max_length=MAX_ACTIONS)] = ()
    notifications: Annotated[tuple[Notification, ...], Field(strict=False, max_length=MAX_NOTIFICATIONS)] = ()


_KEYS = {
    "": keys_of(WorkflowSpec),
    **{kind: keys_of(part) for kind, part in TRIGGER_TYPES.items()},
    **{kind: keys_of(part) for kind, part in FILTER_PARTS.items()},
    **{kind: keys_of(*parts) for kind, parts in ACTION_TYPES.items()},
    "call_program.raw": keys_of(CallProgramRaw),
    "call_program.idl": keys_of(CallProgramByIdl),
}


def parse(document: Mapping[str, Any] | str | bytes) -> WorkflowSpec:
    """Raises `SpecErrors` with every problem found; rules between parts are asked once each part is right by itself."""
    plain, problems = load(document)
    spec, problems = validate(WorkflowSpec, upgrade(plain), problems, _KEYS)
    if spec is not None:
        problems = list(_problems_between_parts(spec))
    if spec is None or problems:
        raise SpecErrors(problems)
    return spec


def dump(spec: WorkflowSpec) -> dict[str, Any]:
    """Normalised plain JSON values: defaults written out, amounts in base units, absent optional keys left out."""
    return spec.model_dump(mode="json", by_alias=True)


def readable(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored definition in the order of the spec; a database keeps the keys of JSON in its own. What no longer parses
    stays as it is: it is there to be mended."""
    try:
        return dump(parse(stored))
    except SpecErrors:
        return dict(stored)


def upgrade(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document in the current schema. There is one version so far; raises `SpecErrors` for any other."""
    version = document.get("schema", SCHEMA_VERSION)
    if type(version) is not int or version != SCHEMA_VERSION:
        raise SpecErrors([spec_error("schema", "unknown_schema", version, known=SCHEMA_VERSION)])
    return dict(document)


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a definition. It is necessary, not sufficient: `parse` knows more."""
    schema = WorkflowSpec.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _problems_between_parts(spec: WorkflowSpec) -> Iterator[SpecError]:
    if spec.filter is None:
        return
    placed = list(placed_conditions(spec.filter))
    if len(placed) > MAX_CONDITIONS:
        yield spec_error("filter", "too_many", limit=MAX_CONDITIONS, what="conditions")
    if sum(one.condition.op == "regex" for one in placed) > MAX_PATTERNS:
        yield spec_error("filter", "too_many", limit=MAX_PATTERNS, what="regular expressions")
    too_deep = next((one for one in placed if one.depth > MAX_FILTER_DEPTH), None)
    if too_deep is not None:
        yield spec_error(too_deep.path, "too_deep", limit=MAX_FILTER_DEPTH)
    yield from type_problems(spec.trigger, placed)
