"""Pure: the Anchor events that a program emitted in a transaction, by log (`emit!`) and by self-call (`emit_cpi!`).

An event's index is `ev.<first 16 hex of sha256(its bytes)>.<n>`, n counting equal bytes within one way of emission:
programs that emit everything both ways say the same event twice, and it is one. An event that its IDL cannot read, the
program being older or newer than the document, is the event all the same, with `unknown` and its bytes as its data.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chain.decode.base import Instruction, Unknown
from chain.decode.idl import Idl, decode_event
from chain.decode.idl.decoding import CPI_EVENT_TAG
from chain.decode.idl.model import Layout
from chain.decode.idl.names import same_name
from chain.decode.logs import Attribution


@dataclass(frozen=True, slots=True)
class Emitted:
    """One event, with its place in the transaction."""

    index: str
    name: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Emitter:
    """A program as its IDL describes it."""

    idl: Idl

    def event_named(self, name: str) -> Layout | None:
        """The event of that name, in either spelling; None where the IDL has none."""
        return next((layout for layout in self.idl.events if same_name(layout.name) == same_name(name)), None)


def emitted_by_log(emitter: Emitter, event: str, attribution: Attribution) -> list[Emitted]:
    """The events of this name in the lines that the program itself wrote."""
    own = (line for line in attribution if line.kind == "data" and line.program_id == emitter.idl.program_id)
    return _emitted(emitter, event, (raw for line in own if (raw := _unwrapped(line.text)) is not None))


def emitted_by_call(emitter: Emitter, event: str, instructions: Sequence[Instruction]) -> list[Emitted]:
    """The events of this name in the program's calls to itself."""
    own = (called for called in _self_calls(instructions) if called.program_id == emitter.idl.program_id)
    raw = (called.data[len(CPI_EVENT_TAG) :] for called in own if called.data.startswith(CPI_EVENT_TAG))
    return _emitted(emitter, event, raw)


def _emitted(emitter: Emitter, event: str, events: Iterable[bytes]) -> list[Emitted]:
    layout = emitter.event_named(event)
    seen: Counter[bytes] = Counter()
    found = []
    for raw in events:
        if layout is None or _layout_of(emitter.idl, raw) is not layout:
            continue
        index = f"ev.{hashlib.sha256(raw).hexdigest()[:16]}.{seen[raw]}"
        seen[raw] += 1
        found.append(Emitted(index, layout.name, _data(emitter.idl, raw)))
    return found


def _layout_of(idl: Idl, raw: bytes) -> Layout | None:
    return next((layout for layout in idl.events if raw.startswith(layout.discriminator)), None)


def _data(idl: Idl, raw: bytes) -> dict[str, Any]:
    decoded = decode_event(idl, raw)
    if decoded is None or isinstance(decoded, Unknown):
        reason = "no event of the IDL" if decoded is None else decoded.reason
        return {"unknown": reason, "data_base64": base64.b64encode(raw).decode()}
    return decoded.values


def _unwrapped(text: str) -> bytes | None:
    """The bytes of a `Program data:` line. What was logged in several pieces is no event of Anchor's."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _self_calls(instructions: Sequence[Instruction]) -> Iterator[Instruction]:
    """Instructions that a program gave to itself. Only then are their bytes its own words: others may call it with any,
    and not every program refuses. Nodes from before stack heights are believed."""
    stack: list[str] = []
    for called in instructions:
        if called.inner is None:
            stack = [called.program_id]
            continue
        if called.stack_height is None:
            yield called
            continue
        above = called.stack_height - 1
        if not 1 <= above <= len(stack):
            stack.clear()  # who called it is not told, nor is it of what follows
            continue
        del stack[above:]
        if stack[-1] == called.program_id:
            yield called
        stack.append(called.program_id)
