from __future__ import annotations

from typing import Any

import pytest
from django.forms import Field, ValidationError

from workflows.forms.fields import AddressesField, LamportsField, TokenLimitsField

MINT = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
WALLET = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"


@pytest.mark.parametrize(
    ("text", "lamports"),
    [("", None), ("0", 0), (" 5000 ", 5000), ("0.001 SOL", 1_000_000), ("7 lamports", 7), ("1sol", 1_000_000_000)],
)
def test_an_amount_is_lamports_or_has_its_unit(text: str, lamports: int | None) -> None:
    assert LamportsField(required=False).clean(text) == lamports


@pytest.mark.parametrize("text", ["0.5", "1e9", "-1", "0.0000000001 SOL", "9" * 30, "9" * 6000, "٣", "lots"])
def test_an_amount_that_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        LamportsField().clean(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (LamportsField(), 1),
        (LamportsField(), 1_000_000_000),
        (LamportsField(), 100_000_000_000),
        (LamportsField(), 123_456_789_012_345_678),
        (LamportsField(), 0),
        (TokenLimitsField(required=False), {}),
        (TokenLimitsField(required=False), {MINT: 0, WALLET: 2**64 - 1}),
        (AddressesField(required=False), [MINT, WALLET]),
        (AddressesField(required=False), []),
    ],
)
def test_what_a_field_shows_is_what_it_reads_back(field: Field, value: Any) -> None:
    assert field.clean(field.prepare_value(value)) == value


def test_an_empty_list_of_addresses_is_any_and_never_nobody() -> None:
    assert AddressesField(required=False).clean(" \n ") is None


@pytest.mark.parametrize("text", [MINT, f"{MINT} 1.5", f"{MINT} -1", f"{MINT} 1 2", f"{MINT} 1\n{MINT} 2"])
def test_a_token_limit_is_a_mint_and_a_number_each_mint_once(text: str) -> None:
    with pytest.raises(ValidationError, match="Line"):
        TokenLimitsField(required=False).clean(text)


def test_what_was_typed_is_shown_again_as_it_was() -> None:
    assert LamportsField().prepare_value("0.5") == "0.5"
    assert AddressesField().prepare_value("x y") == "x y"
