"""Places in a document that may hold anything, named as errors name them: `filter.all[0].value`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Step = str | int
Document = dict[str, Any]

_STEP = re.compile(r"\.?([A-Za-z0-9_-]{1,64})|\[(\d{1,3})\]")


class NoSuchPlace(ValueError):
    """The path is malformed, or leads to where the document holds nothing."""


def steps_of(path: str) -> tuple[Step, ...]:
    """`actions[0].to` is `("actions", 0, "to")`; raises `NoSuchPlace` for what is no path."""
    steps: list[Step] = []
    position = 0
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None or (not steps and found.group(1) is None):
            raise NoSuchPlace(path)
        steps.append(found.group(1) if found.group(1) is not None else int(found.group(2)))
        position = found.end()
    if not steps:
        raise NoSuchPlace(path)
    return tuple(steps)


def parent_of(path: str) -> str:
    """The path without its last step; "" above the top."""
    return re.sub(r"(\[\d+\]|\.?[^.\[\]]+)$", "", path)


def is_within(path: str, place: str) -> bool:
    """Whether the path is the place or lies below it."""
    return path == place or path.startswith((f"{place}.", f"{place}["))


def value_at(document: Any, path: str) -> Any:
    """What the document holds there; None where there is nothing, whatever the document looks like."""
    try:
        return _get(document, steps_of(path))
    except NoSuchPlace:
        return None


def has(document: Any, path: str) -> bool:
    """Whether the document holds something there, null included."""
    try:
        _get(document, steps_of(path))
    except NoSuchPlace:
        return False
    return True


def with_value(document: Any, path: str, value: Any) -> Any:
    """The document with this value there. Objects on the way are made; a list takes one more at its end.

    Raises:
        NoSuchPlace: the path leads into a list beyond its end.
    """
    return _set(document, steps_of(path), value)


def without(document: Any, path: str) -> Any:
    """The document without what is there; raises `NoSuchPlace` when nothing is."""
    return _remove(document, steps_of(path))


def _get(value: Any, steps: tuple[Step, ...]) -> Any:
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, Mapping) or step not in value:
                raise NoSuchPlace(step)
            value = value[step]
        else:
            if not isinstance(value, list) or step >= len(value):
                raise NoSuchPlace(f"[{step}]")
            value = value[step]
    return value


def _set(value: Any, steps: tuple[Step, ...], new: Any) -> Any:
    if not steps:
        return new
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        held = value if isinstance(value, Mapping) else {}
        return {**held, step: _set(held.get(step), rest, new)}
    items = list(value) if isinstance(value, list) else []
    if step > len(items):
        raise NoSuchPlace(f"[{step}]")
    if step == len(items):
        items.append(None)
    items[step] = _set(items[step], rest, new)
    return items


def _remove(value: Any, steps: tuple[Step, ...]) -> Any:
    step, rest = steps[0], steps[1:]
    held = _get(value, (step,))
    if rest:
        return _set(value, (step,), _remove(held, rest))
    if isinstance(step, str):
        return {key: item for key, item in value.items() if key != step}
    return [item for index, item in enumerate(value) if index != step]
