"""Pure: why a filter said no, in one line, from its trace (workflows.matching.filters)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def why_not(trace: Mapping[str, Any]) -> str:
    """The condition that decided, with what it saw; of `any` all of them, because all of them said no."""
    if "all" in trace:
        return next((why_not(part) for part in trace["all"] if part["met"] is False), "a part of it")
    if "any" in trace:
        return "; ".join(why_not(part) for part in trace["any"])
    if "not" in trace:
        return f"not ({_condition(trace['not'])})"
    return _condition(trace)


def _condition(trace: Mapping[str, Any]) -> str:
    if "field" not in trace:
        return next((f"{group} of its conditions" for group in ("all", "any", "not") if group in trace), "no filter")
    value = f" {_shown(trace['value'])}" if "value" in trace else ""
    seen = f"saw {_shown(trace['saw'])}" if "saw" in trace else trace.get("note", "")
    return f"{trace['field']} {trace['op']}{value}" + (f", {seen}" if seen else "")


def _shown(value: Any) -> str:
    # Strangers write what events hold; a terminal obeys what is not printable.
    return "".join(character for character in json.dumps(value, ensure_ascii=False) if character.isprintable())
