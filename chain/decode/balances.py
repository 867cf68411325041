"""Balances before and after a transaction, as the node reports them, and what they say moved.

Accounts opened and closed inside one transaction appear in no token balance: deltas are what stayed, not what passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chain.decode.answer import Answer
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
    """Every account whose balance changed, in the order of the transaction's account keys.

    `handed_over` are token accounts that were given to another owner with what was in them, which moves no balance:
    each as its new owner sees it, who had nothing there (`pre` is 0).
    """

    sol: tuple[SolDelta, ...]
    tokens: tuple[TokenDelta, ...]
    handed_over: tuple[TokenDelta, ...] = ()


def deltas(answer: Answer) -> Deltas:
    """What the transaction moved; a failed one its fee only."""
    sol = tuple(
        SolDelta(account, post - pre)
        for account, pre, post in zip(answer.keys, *answer.lamports, strict=True)
        if post != pre
    )
    before, after = (_by_account_and_mint(side) for side in answer.tokens)
    pairs = [(before.get(place), after.get(place)) for place in sorted(before.keys() | after.keys())]
    tokens = (_token_delta(answer.keys, pre, post) for pre, post in pairs)
    handed_over = (
        replace(_token_delta(answer.keys, pre, post), pre=0)
        for pre, post in pairs
        if pre is not None and post is not None and _is_another(pre.owner, post.owner)
    )
    return Deltas(
        sol,
        tuple(delta for delta in tokens if delta.amount),
        tuple(delta for delta in handed_over if delta.amount),
    )


def _is_another(before: str | None, after: str | None) -> bool:
    """Nodes from before owners were told say nothing of them."""
    return before is not None and after is not None and before != after


def _by_account_and_mint(balances: Sequence[TokenBalance]) -> dict[tuple[int, str], TokenBalance]:
    # The mint is part of the key: an account can be closed and opened again for another mint in one transaction.
    return {(balance.account_index, balance.mint): balance for balance in balances}


def _token_delta(keys: Sequence[str], pre: TokenBalance | None, post: TokenBalance | None) -> TokenDelta:
    last = post or pre
    assert last is not None  # the caller's key comes from one of them
    return TokenDelta(
        account=keys[last.account_index],
        owner=last.owner,
        mint=last.mint,
        program_id=last.program_id,
        decimals=last.decimals,
        pre=pre.amount if pre else 0,
        post=post.amount if post else 0,
    )
