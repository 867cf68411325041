"""Names for workflows that are made after others. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection

from workflows.specs.settings import MAX_NAME

_NUMBER = re.compile(r" \([0-9]{1,6}\)$")


def free_name(name: str, taken: Collection[str]) -> str:
    """The name itself where it is free, else with the first free number: `pay`, `pay (2)`, `pay (3)`."""
    name = name.strip()
    if name not in taken:
        return name
    stem = _NUMBER.sub("", name)
    numbers = (f" ({number})" for number in itertools.count(2))
    candidates = (stem[: MAX_NAME - len(ending)].rstrip() + ending for ending in numbers)
    return next(candidate for candidate in candidates if candidate not in taken)
