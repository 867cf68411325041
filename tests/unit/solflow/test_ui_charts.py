"""Charts drawn on the server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from solflow.ui.charts import histogram, sparkline

START = datetime(2026, 11, 22, tzinfo=UTC)


def bucket(index: int, success: int = 0, failed: int = 0, other: int = 0) -> dict[str, object]:
    return {"start": START + timedelta(hours=index), "success": success, "failed": failed, "other": other}


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 2), (2, 2), (3, 4), (7, 10), (18, 20), (31, 40), (86, 100), (101, 200)]
)
def test_the_axis_ends_at_a_number_that_reads_well(highest: int, top: int) -> None:
    assert histogram([bucket(0, success=highest)]).top == top


def test_failures_are_on_top_of_the_bar() -> None:
    [bar] = histogram([bucket(0, success=5, failed=1, other=4)]).bars
    assert [(segment.css, segment.y, segment.height) for segment in bar.segments] == [
        ("k", "60.00%", "40.00%"),
        ("o", "10.00%", "50.00%"),
        ("f", "0.00%", "10.00%"),
    ]


def test_an_empty_bucket_draws_nothing() -> None:
    assert histogram([bucket(0)]).bars[0].segments == []


def test_the_axis_names_five_times_from_the_first_to_the_last() -> None:
    ticks = histogram([bucket(hour) for hour in range(24)]).ticks
    assert (ticks[0], ticks[-1], len(ticks)) == (START, START + timedelta(hours=23), 5)


def test_no_buckets_make_an_empty_chart() -> None:
    chart = histogram([])
    assert (chart.bars, chart.ticks) == ([], [])


def test_a_sparkline_spans_its_box_from_lowest_to_highest() -> None:
    line = sparkline([1, 3], width=84, height=28)
    assert line is not None
    assert line.path == "M0.0 26.0 L84.0 2.0"


def test_one_value_makes_no_line() -> None:
    assert sparkline([5]) is None
