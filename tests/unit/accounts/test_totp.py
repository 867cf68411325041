"""Time-based codes, by the vectors of RFC 6238 (its eight digits end in our six)."""

from __future__ import annotations

import pytest

from accounts.second_factor import totp
from accounts.second_factor.qr import qr_svg

SEED = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert totp.code_at(SEED, at // totp.PERIOD_S) == code[-totp.DIGITS :]


def test_a_clock_may_be_off_by_one_period() -> None:
    step = 1_000_000
    for drift, found in ((-2, None), (-1, step - 1), (0, step), (1, step + 1), (2, None)):
        code = totp.code_at(SEED, step + drift)
        assert totp.step_of(SEED, code, step * totp.PERIOD_S + 3, after=0) == found


def test_no_code_is_taken_of_a_period_that_was_used() -> None:
    step = 1_000_000
    now = step * totp.PERIOD_S
    assert totp.step_of(SEED, totp.code_at(SEED, step), now, after=step) is None
    assert totp.step_of(SEED, totp.code_at(SEED, step - 1), now, after=step) is None
    assert totp.step_of(SEED, totp.code_at(SEED, step + 1), now, after=step) == step + 1


@pytest.mark.parametrize("code", ["", "12345", "1234567", "ä" * 6, "１２３４５６", "\ud800"])
def test_what_is_no_code_is_wrong_and_nothing_worse(code: str) -> None:
    assert totp.step_of(SEED, code, 59, after=0) is None


def test_the_address_says_whose_it_is_and_escapes_it() -> None:
    said = totp.address(SEED, name="a b@host:8000", issuer="SolFlow")
    assert said.startswith("otpauth://totp/SolFlow:a%20b%40host%3A8000?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&")


def test_seeds_are_random_and_a_qr_code_has_no_style_or_script() -> None:
    assert totp.new_seed() != totp.new_seed() and len(totp.new_seed()) == 20
    svg = qr_svg("otpauth://totp/x", 'a "label"')
    assert svg.startswith("<svg") and "style=" not in svg and "<script" not in svg and "&quot;label&quot;" in svg
