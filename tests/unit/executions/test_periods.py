from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from executions.periods import Period, period

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def test_a_length_ends_now_and_has_no_upper_bound() -> None:
    assert period("hour", "", "", NOW) == Period(NOW - timedelta(hours=1), None)
    assert period("", "2026-01-01", "2026-01-02", NOW) == Period()


def test_both_days_are_included_and_either_may_be_left_out() -> None:
    first, after_last = datetime(2026, 2, 27, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    assert period("dates", "2026-02-27", "2026-02-28", NOW) == Period(first, after_last)
    assert period("dates", "", "2026-02-28", NOW) == Period(None, after_last)


@pytest.mark.parametrize(
    ("choice", "first", "last"),
    [("ever", "", ""), ("dates", "27.2.2026", ""), ("dates", "", "9999-12-31"), ("dates", "0001-01-01", "")],
)
def test_what_is_no_stretch_of_time_is_refused(choice: str, first: str, last: str) -> None:
    with pytest.raises(ValueError):
        period(choice, first, last, NOW)
