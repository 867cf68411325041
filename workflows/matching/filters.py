"""The filter of a workflow, asked about one event: met or not, and why. Pure.

Compile once for each version of a workflow, then ask for each event: `met` in a few microseconds, `evaluate` with the
trace that people read. Both take the same way through the same conditions, in the order in which they are written, and
stop as soon as the answer is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from workflows.matching.comparisons import equal, judge_for
from workflows.specs.conditions import AllOf, AnyOf, Condition, Filter, Not
from workflows.specs.operators import TAKES

_SHOWN_CHARACTERS = 200
_SHOWN_ITEMS = 10
_MISSING: Any = object()

EventJson = dict[str, Any]
Trace = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AddressListView:
    """An address list as it was when a batch was claimed; the version goes into the trace."""

    id: str
    name: str
    version: int
    addresses: frozenset[str]


Lists = Mapping[str, AddressListView]
NO_LISTS: Lists = {}


@dataclass(frozen=True, slots=True)
class FilterResult:
    """The outcome, and as JSON how it came about.

    A trace has the shape of the filter. Each condition adds `met`, `saw` (shortened; absent when the field is missing)
    and sometimes a `note`; one that was not asked any more has `met: null` and the note "not needed".
    """

    met: bool
    trace: Trace


class CompiledFilter(Protocol):
    """A filter, or a part of one, ready to be asked."""

    def met(self, event: EventJson, lists: Lists = NO_LISTS) -> bool:
        """Whether the event passes. Never raises, whatever the event holds."""
        ...

    def evaluate(self, event: EventJson, lists: Lists = NO_LISTS) -> FilterResult:
        """The same answer with its trace."""
        ...

    def unasked(self, event: EventJson) -> Trace:
        """The trace of a part that was not needed."""
        ...


def compile_filter(part: Filter | None) -> CompiledFilter:
    """Prepares a filter for asking; no filter lets everything pass. The caller keeps the result."""
    match part:
        case None:
            return _NoFilter()
        case Condition():
            return _Asked(part)
        case Not():
            return _Negated(compile_filter(part.negated))
        case AllOf():
            return _Group("all", part.all, stops_at=False)
        case AnyOf():
            return _Group("any", part.any, stops_at=True)


def evaluate(part: Filter | None, event: EventJson, lists: Lists = NO_LISTS) -> FilterResult:
    """Compiles and asks once: for previews and tests."""
    return compile_filter(part).evaluate(event, lists)


class _NoFilter:
    def met(self, event: EventJson, lists: Lists = NO_LISTS) -> bool:
        return True

    def evaluate(self, event: EventJson, lists: Lists = NO_LISTS) -> FilterResult:
        return FilterResult(True, {"met": True, "note": "no filter"})

    def unasked(self, event: EventJson) -> Trace:
        return {"met": None, "note": "no filter"}


class _Group:
    """`all` stops at the first part that is not met, `any` at the first that is."""

    __slots__ = ("_name", "_parts", "_stops_at")

    def __init__(self, name: str, parts: Iterable[Filter], *, stops_at: bool) -> None:
        self._name = name
        self._parts = tuple(compile_filter(part) for part in parts)
        self._stops_at = stops_at

    def met(self, event: EventJson, lists: Lists = NO_LISTS) -> bool:
        for part in self._parts:
            if part.met(event, lists) is self._stops_at:
                return self._stops_at
        return not self._stops_at

    def evaluate(self, event: EventJson, lists: Lists = NO_LISTS) -> FilterResult:
        met = not self._stops_at
        traces: list[Trace] = []
        for part in self._parts:
            if met is self._stops_at:
                traces.append(part.unasked(event))
                continue
            result = part.evaluate(event, lists)
            met = result.met
            traces.append(result.trace)
        return FilterResult(met, {self._name: traces, "met": met})

    def unasked(self, event: EventJson) -> Trace:
        return {self._name: [part.unasked(event) for part in self._parts], "met": None, "note": "not needed"}


class _Negated:
    __slots__ = ("_part",)

    def __init__(self, part: CompiledFilter) -> None:
        self._part = part

    def met(self, event: EventJson, lists: Lists = NO_LISTS) -> bool:
        return not self._part.met(event, lists)

    def evaluate(self, event: EventJson, lists: Lists = NO_LISTS) -> FilterResult:
        result = self._part.evaluate(event, lists)
        return FilterResult(not result.met, {"not": result.trace, "met": not result.met})

    def unasked(self, event: EventJson) -> Trace:
        return {"not": self._part.unasked(event), "met": None, "note": "not needed"}


class _Asked:
    """One condition. A missing field is false, whatever the operator."""

    __slots__ = ("_ask", "_condition", "_keys", "_shown")

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._keys = tuple(condition.field.split(".")[1:])
        self._ask = _question(condition, self._keys)
        self._shown: Trace = {"field": condition.field, "op": condition.op}
        if TAKES[condition.op] != "nothing":
            self._shown["value"] = _short(condition.value)

    def met(self, event: EventJson, lists: Lists = NO_LISTS) -> bool:
        seen = _look_up(event, self._keys)
        return seen is not _MISSING and self._ask(seen, event, lists)

    def evaluate(self, event: EventJson, lists: Lists = NO_LISTS) -> FilterResult:
        seen = _look_up(event, self._keys)
        if seen is _MISSING:
            return FilterResult(False, {**self._shown, "met": False, "note": "the field is missing"})
        met = self._ask(seen, event, lists)
        trace = {**self._shown, "saw": _short(seen), "met": met, **self._remarks(event, lists)}
        return FilterResult(met, trace)

    def unasked(self, event: EventJson) -> Trace:
        seen = _look_up(event, self._keys)
        saw = {} if seen is _MISSING else {"saw": _short(seen)}
        return {**self._shown, **saw, "met": None, "note": "not needed"}

    def _remarks(self, event: EventJson, lists: Lists) -> Trace:
        if self._condition.op == "changed":
            previous = _look_up(event, _previous(self._keys))
            return {"note": "there is no previous value"} if previous is _MISSING else {"previous": _short(previous)}
        if TAKES[self._condition.op] == "address_list":
            view = lists.get(str(self._condition.value))
            if view is None:
                return {"note": "the address list does not exist"}
            return {"list": {"name": view.name, "version": view.version}}
        return {}


def _question(condition: Condition, keys: tuple[str, ...]) -> Callable[[Any, EventJson, Lists], bool]:
    match condition.op:
        case "exists":
            return lambda seen, event, lists: True
        case "changed":
            previous_keys = _previous(keys)

            def changed(seen: Any, event: EventJson, lists: Lists) -> bool:
                previous = _look_up(event, previous_keys)
                return previous is not _MISSING and not equal(seen, previous)

            return changed
        case "in_list" | "not_in_list":
            list_id, wanted = str(condition.value), condition.op == "in_list"

            def listed(seen: Any, event: EventJson, lists: Lists) -> bool:
                # A list that is gone must open no door, neither of an allow list nor of a block list.
                view = lists.get(list_id)
                return view is not None and isinstance(seen, str) and (seen in view.addresses) is wanted

            return listed
        case _:
            judge = judge_for(condition.op, condition.value)
            return lambda seen, event, lists: judge(seen)


def _previous(keys: tuple[str, ...]) -> tuple[str, ...]:
    return (*keys[:-1], f"previous_{keys[-1]}")


def _look_up(event: EventJson, keys: tuple[str, ...]) -> Any:
    value: Any = event
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, _MISSING)
        elif isinstance(value, list) and key.isdecimal() and len(key) <= 9 and int(key) < len(value):
            value = value[int(key)]
        else:
            return _MISSING
    return value


def _short(value: Any) -> Any:
    """A value small enough to be stored with every execution."""
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return value[:_SHOWN_CHARACTERS] + "…"
    if isinstance(value, dict):
        return f"an object with {len(value)} keys"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, tuple):
        more = [f"… and {len(value) - _SHOWN_ITEMS} more"] if len(value) > _SHOWN_ITEMS else []
        return [_short(item) for item in value[:_SHOWN_ITEMS]] + more
    return value
