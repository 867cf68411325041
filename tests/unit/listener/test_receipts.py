"""What arrived, by balances and owners before and after."""

from __future__ import annotations

from chain.decode.balances import TokenDelta
from chain.decode.transaction import Transaction
from listener.receipts import nft_arrivals, token_arrivals

WALLET, ACCOUNT = "wallet", "account"


def delta(pre: int, post: int, *, decimals: int = 0, owner: str | None = WALLET, account: str = ACCOUNT) -> TokenDelta:
    return TokenDelta(account, owner, "mint", "program", decimals, pre, post)


def transaction(*tokens: TokenDelta, handed_over: tuple[TokenDelta, ...] = ()) -> Transaction:
    return Transaction(1, "s", None, (), 5000, (ACCOUNT,), tokens, handed_over, ())


def test_an_nft_arrives_in_an_account_that_had_none() -> None:
    assert nft_arrivals(transaction(delta(0, 1)), WALLET) == [delta(0, 1)]


def test_an_nft_arrives_with_the_account_that_holds_it() -> None:
    """As marketplaces list: the account is given away and comes back, and no balance moves."""
    assert nft_arrivals(transaction(handed_over=(delta(0, 1),)), WALLET) == [delta(0, 1)]


def test_an_account_that_is_filled_and_handed_over_at_once_is_one_arrival() -> None:
    assert nft_arrivals(transaction(delta(0, 1), handed_over=(delta(0, 1),)), WALLET) == [delta(0, 1)]


def test_nothing_else_is_an_nft_that_arrives() -> None:
    others = (
        delta(1, 0),
        delta(0, 2),
        delta(1, 2),
        delta(0, 1, decimals=6),
        delta(0, 1, owner="somebody"),
        delta(0, 1, owner=None),
    )

    assert nft_arrivals(transaction(*others, handed_over=others[1:]), WALLET) == []


def test_tokens_arrive_where_there_is_more_of_them_after() -> None:
    arrived = delta(5, 8, decimals=6)
    others = (delta(8, 5), delta(0, 9, account="another"))

    assert token_arrivals(transaction(arrived, *others), ACCOUNT) == [arrived]
