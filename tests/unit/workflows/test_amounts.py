"""Money as people write it: exact integers, or refused."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from workflows.specs.amounts import AmountError, parse_lamports, parse_signed_lamports, parse_tokens, resolve_tokens


@pytest.mark.parametrize(
    ("written", "lamports"),
    [
        (1, 1),
        (2**64 - 1, 2**64 - 1),
        ("0.001 SOL", 1_000_000),
        ("0.000000001 SOL", 1),
        ("1.000000000000 SOL", 1_000_000_000),
        ("12SOL", 12_000_000_000),
        ("0.5 sol", 500_000_000),
        ("18446744073.709551615 SOL", 2**64 - 1),
        ("5000 lamports", 5000),
        ("1 lamport", 1),
    ],
)
def test_lamports_are_read_exactly(written: int | str, lamports: int) -> None:
    assert parse_lamports(written) == lamports


@pytest.mark.parametrize(
    "written", ["18446744073.709551616 SOL", "0 SOL", ".5 SOL", "5. SOL", "1  SOL", "1\nSOL", "SOL", "1 SOLs", "１ SOL"]
)
def test_what_is_not_exactly_some_lamports_is_refused(written: str) -> None:
    with pytest.raises(PydanticCustomError):
        parse_lamports(written)


@pytest.mark.parametrize(("written", "lamports"), [("-0.5 SOL", -500_000_000), ("0.5 SOL", 500_000_000), ("0 SOL", 0)])
def test_a_difference_of_lamports_may_be_negative(written: str, lamports: int) -> None:
    assert parse_signed_lamports(written) == lamports


@pytest.mark.parametrize("written", ["SOL", "--1 SOL", "0.0000000001 SOL", "5", "whatever"])
def test_text_that_is_no_difference_of_lamports_stays_text(written: str) -> None:
    assert parse_signed_lamports(written) is None


@pytest.mark.parametrize(
    ("written", "canonical"), [(5, 5), ("12.50", "12.5"), ("012", "12"), ("12.0", "12"), ("0.10", "0.1")]
)
def test_token_amounts_have_one_spelling(written: int | str, canonical: int | str) -> None:
    assert parse_tokens(written) == canonical


@pytest.mark.parametrize(
    ("amount", "decimals", "units"),
    [(5, 6, 5), ("12.5", 6, 12_500_000), ("12", 0, 12), ("0.000001", 6, 1), ("1", 18, 10**18), ("0", 6, 0)],
)
def test_whole_tokens_become_base_units_by_the_decimals_of_their_mint(
    amount: int | str, decimals: int, units: int
) -> None:
    assert resolve_tokens(amount, decimals) == units


@pytest.mark.parametrize(("amount", "decimals"), [("0.0000001", 6), ("1.5", 0), ("19", 18), ("max", 6)])
def test_tokens_that_are_not_exactly_some_base_units_are_refused(amount: str, decimals: int) -> None:
    with pytest.raises(AmountError):
        resolve_tokens(amount, decimals)
