"""Geometry of the server-drawn charts, as SVG attributes in percent: a style attribute would break the page's CSP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from solflow.ui.text import instant

# Bottom to top: failures on top, where they show whatever the volume below.
_SERIES = (("other", "k"), ("success", "o"), ("failed", "f"))
_BAR_SHARE = 0.68


@dataclass(frozen=True)
class Segment:
    css: str
    y: str
    height: str


@dataclass(frozen=True)
class Bar:
    start: datetime
    counts: Mapping[str, int]
    x: str
    width: str
    column_x: str
    column_width: str
    segments: list[Segment]


@dataclass(frozen=True)
class Histogram:
    bars: list[Bar]
    top: int
    ticks: list[datetime]

    @property
    def middle(self) -> int:
        return self.top // 2


def _round_up(value: int) -> int:
    """The next even number that reads well on an axis: 2, 4, 10, 20, 40, 100, …"""
    scale = 1
    while True:
        for step in (2, 4, 10):
            if value <= step * scale:
                return step * scale
        scale *= 10


def histogram(buckets: Sequence[Mapping[str, Any]]) -> Histogram:
    """Stacked bars of `[{"start", "success", "failed", "other"}]`, oldest first, with five times for the axis."""
    top = _round_up(max((sum(bucket[name] for name, _ in _SERIES) for bucket in buckets), default=0))
    column = 100 / (len(buckets) or 1)
    bars = []
    for index, bucket in enumerate(buckets):
        segments, used = [], 0.0
        for name, css in _SERIES:
            height = bucket[name] * 100 / top
            used += height
            if height:
                segments.append(Segment(css, f"{100 - used:.2f}%", f"{height:.2f}%"))
        bars.append(
            Bar(
                start=instant(bucket["start"]),
                counts=bucket,
                x=f"{(index + (1 - _BAR_SHARE) / 2) * column:.3f}%",
                width=f"{column * _BAR_SHARE:.3f}%",
                column_x=f"{index * column:.3f}%",
                column_width=f"{column:.3f}%",
                segments=segments,
            )
        )
    ticks = [bars[round(quarter * (len(bars) - 1) / 4)].start for quarter in range(5)] if bars else []
    return Histogram(bars, top, ticks)


@dataclass(frozen=True)
class Sparkline:
    width: int
    height: int
    path: str
    last_x: float
    last_y: float


def sparkline(values: Iterable[float], width: int = 84, height: int = 28) -> Sparkline | None:
    """A line through the values, scaled to their own range; nothing for fewer than two."""
    known = list(values)
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    spread = (high - low) or 1
    points = [
        (round(index * width / (len(known) - 1), 1), round(height - 2 - (value - low) / spread * (height - 4), 1))
        for index, value in enumerate(known)
    ]
    return Sparkline(width, height, "M" + " L".join(f"{x} {y}" for x, y in points), *points[-1])
