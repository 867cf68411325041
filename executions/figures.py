"""Amounts, times and addresses as messages write them: exact, and short where the whole is elsewhere. Pure."""

from __future__ import annotations

from datetime import datetime

LAMPORT_DECIMALS = 9


def sol(lamports: int) -> str:
    """`0.5 SOL`; every digit that counts, none that does not."""
    return f"{decimal(lamports, LAMPORT_DECIMALS)} SOL"


def sol_exact(lamports: int) -> str:
    """`0.5 SOL (500,000,000 lamports)`."""
    return f"{sol(lamports)} ({lamports:,} lamport{'' if abs(lamports) == 1 else 's'})"


def decimal(base_units: int, decimals: int) -> str:
    """Base units as whole units, by integers only: `decimal(1500, 3)` is `1.5`."""
    whole, fraction = divmod(abs(base_units), 10**decimals)
    digits = f"{fraction:0{decimals}d}".rstrip("0") if decimals else ""
    return f"{'-' if base_units < 0 else ''}{whole:,}{'.' if digits else ''}{digits}"


def signed(text: str) -> str:
    """With its plus sign, where it has no minus."""
    return text if text.startswith("-") else f"+{text}"


def short(address: str) -> str:
    """`4sGj…tNfx`; what is short stays whole."""
    return address if len(address) <= 12 else f"{address[:4]}…{address[-4:]}"


def milliseconds(start: str, end: str) -> int:
    """Between two ISO 8601 times."""
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() * 1000)
