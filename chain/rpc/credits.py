"""What calls cost at a provider, estimated. Pure.

Providers charge by method, each in a unit of its own. The figures are Helius's credits, the list that others resemble:
one for a call, ten for history and for whole programs (https://www.helius.dev/docs/billing/credits, November 2026).
getSignatureStatuses is ten there where it searches the history, which SolFlow asks of finished transactions only: it is
counted as one. What sockets carry is charged by volume or not at all, and is not in here.
"""

from __future__ import annotations

STANDARD = 1
CREDITS = {
    "getBlock": 10,
    "getBlocks": 10,
    "getProgramAccounts": 10,
    "getSignaturesForAddress": 10,
    "getTransaction": 10,
}


def credits_of(method: str, calls: int) -> int:
    """Estimated credits of so many calls of a method."""
    return CREDITS.get(method, STANDARD) * calls
