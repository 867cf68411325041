"""Balances before and after a transaction, as the node reports them, and what they say moved.

Accounts opened and closed inside one transaction appear in no token balance: deltas are what stayed, not what passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chain.types import TokenBalance


@dataclass(frozen=True, slots=True)
class SolDelta:
    """Lamports that an account gained (positive) or lost, fee and rent included."""

    account: str
    lamports: int


@dataclass(frozen=True, slots=True)
class TokenDelta:
    """Base units that a token account gained or lost. `pre` is 0 for an account opened, `post` for one closed."""

    account: str
    owner: str | None
    mint: str
    program_id: str | None
    decimals: int
    pre: int
    post: int

    @property
    def amount(self) -> int:
        """`post` minus `pre`."""
        return self.post - self.pre


@dataclass(frozen=True, slots=True)
class Deltas:
    """Every account whose balance changed, in the order of the transaction's account keys."""

    sol: tuple[SolDelta, ...]
    tokens: tuple[TokenDelta, ...]


def token_balance(entry: Mapping[str, Any]) -> TokenBalance:
    """One element of `preTokenBalances` / `postTokenBalances`. Amounts arrive as decimal text, never as a number."""
    amount = entry["uiTokenAmount"]
    return TokenBalance(
        account_index=entry["accountIndex"],
        mint=entry["mint"],
        owner=entry.get("owner"),
        program_id=entry.get("programId"),
        amount=int(amount["amount"]),
        decimals=int(amount["decimals"]),
    )


def deltas(meta: Mapping[str, Any], keys: Sequence[str]) -> Deltas:
    """What `meta` (of `getTransaction`) says moved; `keys` in balance order, loaded addresses last.

    A failed transaction moves its fee only. Raises ValueError where balances and keys are not of one length.
    """
    sol = tuple(
        SolDelta(account, post - pre)
        for account, pre, post in zip(keys, meta["preBalances"], meta["postBalances"], strict=True)
        if post != pre
    )
    pre = _by_account_and_mint(meta.get("preTokenBalances"))
    post = _by_account_and_mint(meta.get("postTokenBalances"))
    tokens = (
        _token_delta(keys[place[0]], pre.get(place), post.get(place)) for place in sorted(pre.keys() | post.keys())
    )
    return Deltas(sol, tuple(delta for delta in tokens if delta.amount))


def _by_account_and_mint(entries: Sequence[Mapping[str, Any]] | None) -> dict[tuple[int, str], TokenBalance]:
    # The mint is part of the key: an account can be closed and opened again for another mint in one transaction.
    balances = [token_balance(entry) for entry in entries or ()]
    return {(balance.account_index, balance.mint): balance for balance in balances}


def _token_delta(account: str, pre: TokenBalance | None, post: TokenBalance | None) -> TokenDelta:
    last = post or pre
    assert last is not None  # the caller's key comes from one of them
    return TokenDelta(
        account=account,
        owner=last.owner,
        mint=last.mint,
        program_id=last.program_id,
        decimals=last.decimals,
        pre=pre.amount if pre else 0,
        post=post.amount if post else 0,
    )
