"""What a filter saw, condition by condition, as the worker recorded it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solflow.ui.definition import OPERATOR_WORDS, group_of, value_words
from solflow.ui.text import plain

_LOOKS = {True: ("s-ok", "check"), False: ("s-fail", "x"), None: ("s-idle", "minus")}


@dataclass(frozen=True)
class TraceNode:
    css: str
    icon: str
    words: str
    saw: str = ""
    note: str = ""
    children: list[TraceNode] = field(default_factory=list)


def trace_node(trace: Mapping[str, Any]) -> TraceNode:
    """A node of the trace (workflows.matching.filters): a group, a condition with what it saw, or no filter at all.

    `met` is null for what short-circuiting skipped; `note` says so.
    """
    css, icon = _LOOKS[trace["met"]]
    note = plain(trace.get("note") or "")
    if (grouped := group_of(trace)) is not None:
        words, members = grouped
        return TraceNode(css, icon, words, note=note, children=[trace_node(member) for member in members])
    if "field" not in trace:
        return TraceNode(css, icon, note.capitalize())
    name, operator = plain(trace["field"]), trace["op"]
    value = value_words(name, trace["value"]) if "value" in trace else ""
    if address_list := trace.get("list"):
        value = f"{plain(address_list['name'])} (version {address_list['version']})"
    words = f"{name} {OPERATOR_WORDS.get(operator, operator)} {value}".strip()
    if "previous" in trace:
        words = f"{words} from {value_words(name, trace['previous'])}"
    return TraceNode(css, icon, words, saw=value_words(name, trace["saw"]) if "saw" in trace else "", note=note)
