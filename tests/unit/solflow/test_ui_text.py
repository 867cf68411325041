"""Numbers, amounts, times and hostile text, as pages show them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from solflow.ui import text

AT = datetime(2026, 11, 22, 14, 10, 11, 42_000, tzinfo=UTC)
ADDRESS = "7vQm3cXoPEd8F2LsYkWqNfBz5tGhJr9AuVeKMxT4pHnR"


def test_bidirectional_and_control_characters_are_taken_out_of_hostile_text() -> None:
    assert text.plain("pay \u202eevil\u2066\x00 now\u200b") == "pay evil now"


def test_line_breaks_become_spaces_so_that_one_value_stays_one_line() -> None:
    assert text.plain("a\nb\tc") == "a b c"


def test_an_address_is_shortened_to_its_ends_and_short_text_stays_whole() -> None:
    assert text.short(ADDRESS) == "7vQm…pHnR"
    assert text.short(ADDRESS, 8) == "7vQm3cXo…MxT4pHnR"
    assert text.short("x9f2k0") == "x9f2k0"


@pytest.mark.parametrize(
    ("lamports", "shown"),
    [
        (0, "0"),
        (1, "0.000000001"),
        (1_500_000, "0.0015"),
        (10**9, "1"),
        (-5000, "-0.000005"),
        (1_234_500_000_000, "1,234.5"),
        (2**64 - 1, "18,446,744,073.709551615"),
        ("5000", "0.000005"),
        (None, "–"),
    ],
)
def test_lamports_are_shown_as_sol_exactly(lamports: int | str | None, shown: str) -> None:
    assert text.sol(lamports) == shown


def test_integers_are_grouped_and_nothing_is_a_dash() -> None:
    assert text.grouped(458213117) == "458,213,117"
    assert text.grouped(0) == "0"
    assert text.grouped(None) == "–"


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0, "0 ms"), (8.6, "9 ms"), (981, "981 ms"), (1620, "1.62 s"), (245_000, "4 min 5 s"), (7_380_000, "2 h 3 min")],
)
def test_durations_keep_the_places_that_matter(ms: float, shown: str) -> None:
    assert text.duration(ms) == shown


def test_a_duration_that_is_not_known_yet_is_a_dash() -> None:
    assert text.duration(text.elapsed_ms(AT, None)) == "–"


def test_times_are_utc_wherever_they_come_from() -> None:
    assert text.full_utc("2026-11-22T16:10:11.042+02:00") == "22 Nov 2026, 14:10:11.042 UTC"
    assert text.full_utc("2026-11-22T14:10:11.042000Z") == text.full_utc(AT)
    assert text.instant("2026-11-22T14:10:11.042") == AT


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-3, "now"), (4, "now"), (59, "59 s ago"), (60, "1 min ago"), (7199, "1 h ago"), (86_400, "1 day ago")],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, shown: str) -> None:
    assert text.age(AT, AT + timedelta(seconds=seconds)) == shown


def test_any_json_value_is_told_in_a_few_words() -> None:
    assert text.words(True) == "yes"
    assert text.words(None) == "nothing"
    assert text.words([1, 2, 3, 4, 5]) == "1, 2, 3 and 2 more"
    assert text.words({"attempt": 1, "signature": "4s" * 40}) == "attempt 1, signature 4s4s4s4s…4s4s4s4s"
