"""One message about many executions of a workflow: how many ended how, and the newest of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from executions.channels.base import Line, Message
from executions.explorer import Explorer
from executions.messages import OUTCOMES, seen

# Told first: what one would want to know.
_BY_WEIGHT = ("failed", "throttled", "success", "filtered")
_WORDS = {"failed": "failed", "throttled": "throttled", "success": "succeeded", "filtered": "filtered out"}


class Told(NamedTuple):
    """One execution, as much of it as a digest tells."""

    status: str
    at: datetime
    event: Mapping[str, Any]
    error: str
    signature: str | None


def build_digest(
    told: Sequence[Told],
    counts: Mapping[str, int],
    execution_ids: Sequence[str],
    workflow: Mapping[str, str],
    *,
    explorer: Explorer,
    escape: Callable[[str], str],
) -> Message:
    """`told` are the newest, newest first; `counts` all, by status."""
    total = sum(counts.values())
    worst = next((status for status in _BY_WEIGHT if counts.get(status)), "success")
    said = [
        f"{count:,} {_WORDS.get(status, 'still run')}"
        for status, count in sorted(counts.items(), key=lambda item: _weight(item[0]))
    ]
    text = ", ".join(said) + "."
    if len(told) < total:
        text += f" The newest {len(told)}:"
    return Message(
        title=f"{escape(workflow['name'])}: {total:,} executions",
        text=text,
        color=OUTCOMES[worst].color,
        lines=tuple(_line(one, explorer) for one in told),
        footer=f"SolFlow · {workflow['name']} · {explorer.network}",
        at=told[0].at.astimezone(UTC).isoformat() if told else None,
        type="digest",
        about={"workflow": dict(workflow), "counts": dict(counts), "executions": list(execution_ids)},
    )


def _line(one: Told, explorer: Explorer) -> Line:
    what = seen(one.event) or "Run"
    return Line(
        f"{one.at.astimezone(UTC):%H:%M:%S} {_WORDS.get(one.status, one.status)}",
        f"{what}: {one.error}" if one.error else what,
        url=explorer.transaction(one.signature) if one.signature else None,
    )


def _weight(status: str) -> int:
    return _BY_WEIGHT.index(status) if status in _BY_WEIGHT else len(_BY_WEIGHT)
