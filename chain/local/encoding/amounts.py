"""Token amounts as the wire shows them."""

from __future__ import annotations

from typing import Any


def amount_text(amount: int, decimals: int) -> str:
    """An amount in base units as a decimal number without trailing zeros: (1500, 3) is `1.5`."""
    if not decimals:
        return str(amount)
    digits = str(amount).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".")


def ui_token_amount(amount: int, decimals: int) -> dict[str, Any]:
    """`UiTokenAmount`. Its float is Solana's, for clients to show; `amount` is the exact value."""
    return {
        "amount": str(amount),
        "decimals": decimals,
        "uiAmount": amount / 10**decimals,
        "uiAmountString": amount_text(amount, decimals),
    }
