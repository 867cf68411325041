"""The steps of an execution as a waterfall: what happened, and how long each step took since the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from solflow.ui.text import duration, grouped, instant, plain, words

STEP_WORDS = {
    "detected": "Detected",
    "queued": "Queued",
    "filtered": "Filtered out",
    "passed": "Filter passed",
    "limits": "Within limits",
    "simulated": "Simulated",
    "approved": "Approved",
    "signed": "Signed and stored",
    "sent": "Sent",
    "confirmed": "Confirmed",
    "finalized": "Finalized",
    "reverted": "Taken back by a fork",
    "resolved": "Decided by a person",
    "notified": "Notified",
    "failed": "Failed",
    "retried": "Retried by a person",
}
_LOOKS = {
    "filtered": ("s-idle", "circle-slash"),
    "reverted": ("s-wait", "undo-2"),
    "resolved": ("s-wait", "user"),
    "failed": ("s-fail", "octagon-x"),
}
_UNDELIVERED = ("s-wait", "triangle-alert")
_DONE = ("s-ok", "circle-check")
_LATER = frozenset({"finalized"})
_THINNEST_BAR_PERCENT = 0.6


@dataclass(frozen=True)
class Bar:
    x: str
    width: str


@dataclass(frozen=True)
class TimelineRow:
    label: str
    detail: str
    css: str
    icon: str
    at_ms: int
    took_ms: int
    bar: Bar | None

    @property
    def took(self) -> str:
        return ("+" if self.at_ms else "") + duration(self.took_ms)

    @property
    def at(self) -> str:
        return duration(self.at_ms)


@dataclass(frozen=True)
class Timeline:
    rows: list[TimelineRow]
    total_ms: int

    @property
    def ticks(self) -> list[str]:
        """Five labels of the scale, from nothing to the whole."""
        return ["0", *(duration(self.total_ms * quarter / 4) for quarter in (1, 2, 3, 4))]


def _detail(step: Mapping[str, Any]) -> str:
    detail = step.get("detail")
    if detail is None:
        return ""
    if step["name"] == "simulated" and isinstance(detail, int):
        return f"{grouped(detail)} compute units"
    if isinstance(detail, Mapping) and step["name"] == "resolved":
        claim = "it has landed" if detail.get("claim") == "landed" else "it has not landed"
        return f"{plain(detail.get('by', ''))}: {claim}{', sign again' if detail.get('sign_again') else ''}"
    if isinstance(detail, Mapping):
        # The channel's id says nothing to a person; its name is beside, in the list of messages.
        return words({key: value for key, value in detail.items() if value is not None and key != "channel"})
    return plain(detail)


def _look(step: Mapping[str, Any]) -> tuple[str, str]:
    detail = step.get("detail")
    if isinstance(detail, Mapping):
        if step["name"] == "confirmed" and detail.get("error"):
            return _LOOKS["failed"]
        if step["name"] == "notified" and detail.get("status") == "dead":
            return _UNDELIVERED
    return _LOOKS.get(step["name"], _DONE)


def _ends_ms(steps: list[Mapping[str, Any]]) -> list[int]:
    start = instant(steps[0]["at"])
    return [max(0, round((instant(step["at"]) - start).total_seconds() * 1000)) for step in steps]


def timeline(steps: Iterable[Mapping[str, Any]], failed_at: datetime | None = None, failure: str = "") -> Timeline:
    """The waterfall of `[{"name", "at", "detail"}]`, oldest first; the bar of a step covers the time since the last.

    The ledger keeps what was reached: `failed_at` adds the end of an execution that failed, in its place by time.
    `finalized` comes many seconds after the rest is done: it has no bar, or it would leave all others a pixel each.
    """
    known = list(steps)
    if failed_at:
        known.append({"name": "failed", "at": failed_at, "detail": failure})
        known.sort(key=lambda step: instant(step["at"]))
    if not known:
        return Timeline([], 0)
    ends_ms = _ends_ms(known)
    total_ms = max((end for end, step in zip(ends_ms, known, strict=True) if step["name"] not in _LATER), default=0)
    rows = []
    for index, step in enumerate(known):
        begin_ms = ends_ms[index - 1] if index else 0
        took_ms = max(0, ends_ms[index] - begin_ms)
        css, icon = _look(step)
        x, width = _bar(begin_ms, took_ms, total_ms)
        rows.append(
            TimelineRow(
                label=STEP_WORDS.get(step["name"], plain(step["name"]).capitalize()),
                detail=_detail(step),
                css=css,
                icon=icon,
                at_ms=ends_ms[index],
                took_ms=took_ms,
                bar=None if step["name"] in _LATER else Bar(f"{x:.2f}%", f"{width:.2f}%"),
            )
        )
    return Timeline(rows, total_ms)


def _bar(begin_ms: int, took_ms: int, total_ms: int) -> tuple[float, float]:
    scale = 100 / (total_ms or 1)
    width = min(100.0, max(took_ms * scale, _THINNEST_BAR_PERCENT))
    return max(0.0, min(begin_ms * scale, 100 - width)), width
