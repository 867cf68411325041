"""What a simulated transaction does to every balance that it touches: for people to look at. Pure.

Limits do not use this: they judge what leaves the signer (executions.outflow).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chain.types import TokenBalance
from executions.outflow import Balances


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """By how much a balance becomes larger, or smaller (negative): lamports of an account where `mint` is None, else
    base units of the mint that `address` owns."""

    address: str
    amount: int
    mint: str | None = None
    decimals: int = 9


def balance_changes(balances: Balances, keys: Sequence[str], *, fee_lamports: int = 0) -> tuple[BalanceChange, ...]:
    """Those that are not zero, in the order of the message's accounts, then tokens. `fee_lamports` is what the signer,
    the first account, pays beside it: a simulated message has no price."""
    lamports = [after - before for before, after in zip(balances.before, balances.after, strict=True)]
    lamports[0] -= fee_lamports
    changed = [BalanceChange(key, amount) for key, amount in zip(keys, lamports, strict=False) if amount]
    return (*changed, *_token_changes(balances, keys))


def _token_changes(balances: Balances, keys: Sequence[str]) -> list[BalanceChange]:
    amounts: Counter[tuple[str, str]] = Counter()
    decimals: dict[str, int] = {}

    def count(one: TokenBalance, sign: int) -> None:
        decimals[one.mint] = one.decimals
        amounts[one.owner or keys[one.account_index], one.mint] += sign * one.amount

    for before in balances.tokens_before:
        count(before, -1)
    for after in balances.tokens_after:
        count(after, 1)
    return [BalanceChange(owner, amount, mint, decimals[mint]) for (owner, mint), amount in amounts.items() if amount]
