"""Runs a pydantic model over a document and says what is wrong in our words, each at its path. Pure.

pydantic finds the problems; `workflows.specs.texts.TABLE` words them. Nothing of pydantic's own message leaves this
module: it would quote values, and values may be secrets pasted into the wrong place.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workflows.specs.documents import MAX_ERRORS, child_path
from workflows.specs.errors import SpecError
from workflows.specs.parts import TAG_MARK
from workflows.specs.texts import spec_error

Model = TypeVar("Model", bound=BaseModel)
PartNames = Mapping[str, Sequence[str]]


def validate(
    model: type[Model], document: Mapping[str, Any], known_problems: Sequence[SpecError], keys_by_tag: PartNames
) -> tuple[Model | None, list[SpecError]]:
    """The parsed model, or None with all problems: those known already, then pydantic's at other places.

    `keys_by_tag` holds the keys of each tagged part ("" for the document itself), for the hint at an unknown one.
    """
    try:
        parsed = model.model_validate(document)
    except ValidationError as error:
        # Twice as many as are told: those at places that are known already fall out below.
        found = [_translated(one, keys_by_tag) for one in error.errors(include_url=False)[: 2 * MAX_ERRORS]]
    else:
        return (None, list(known_problems)) if known_problems else (parsed, [])
    seen = {problem.path for problem in known_problems}
    problems = [*known_problems, *(problem for problem in found if problem.path not in seen)]
    return None, problems[:MAX_ERRORS]


def keys_of(*models: type[BaseModel]) -> list[str]:
    """The keys that the models have in JSON, each once."""
    names = [field.alias or name for model in models for name, field in model.model_fields.items()]
    return list(dict.fromkeys(names))


def _translated(details: ErrorDetails, keys_by_tag: PartNames) -> SpecError:
    context = dict(details.get("ctx", {}))
    path, tag = _path(details["loc"])
    problem, value = details["type"], details["input"]
    if problem == "unknown_type":
        problem, value, path = _type_problem(value, path)
        context["allowed"] = details["msg"]
    elif problem == "missing":
        value = None  # pydantic gives the object around it
    elif problem == "extra_forbidden":
        value = None
        context["hint"] = _hint(str(details["loc"][-1]), keys_by_tag.get(tag, ()))
    if at := context.pop("at", None):
        path = child_path(path, at) if "." not in at and "[" not in at else f"{path}.{at}"
        value = value.get(at) if isinstance(value, Mapping) else None
    return spec_error(path, problem, value, **context)


def _path(location: tuple[int | str, ...]) -> tuple[str, str]:
    """The path without pydantic's tags, and the tag of the part in which it ends ("" where there is none)."""
    path, tag = "", ""
    for depth, key in enumerate(location):
        if isinstance(key, str) and key.startswith(TAG_MARK):
            tag = key.removeprefix(TAG_MARK) if depth == len(location) - 2 else "?"
        elif key != "[key]":
            path = child_path(path, key)
    if len(location) > 1 and not any(isinstance(key, str) and key.startswith(TAG_MARK) for key in location):
        tag = "?"
    return path, tag


def _type_problem(value: Any, path: str) -> tuple[str, Any, str]:
    if not isinstance(value, Mapping):
        return "dict_type", value, path
    path = child_path(path, "type")
    if "type" not in value:
        return "missing", None, path
    return "unknown_type", value["type"], path


def _hint(key: str, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    close = difflib.get_close_matches(key, keys, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{meant} Known: {', '.join(keys)}" if meant else f"; known: {', '.join(keys)}"
