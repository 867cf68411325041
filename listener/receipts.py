"""Pure: what arrived in a transaction, by the balances before and after it; log texts and instructions are no evidence.

A token account that was opened and closed within one transaction is in no balance: what only passed through is unseen.
"""

from __future__ import annotations

from chain.decode.balances import TokenDelta
from chain.decode.transaction import Transaction


def token_arrivals(transaction: Transaction, token_account: str) -> list[TokenDelta]:
    """What the token account has more of after the transaction, by mint."""
    return [delta for delta in transaction.tokens if delta.account == token_account and delta.amount > 0]


def nft_arrivals(transaction: Transaction, wallet: str) -> list[TokenDelta]:
    """The NFTs that the wallet has after the transaction and had not in that account before: one of a mint without
    decimals, moved into its account, or given to it with the account that holds it."""
    return [
        delta
        for delta in dict.fromkeys((*transaction.tokens, *transaction.handed_over))
        if delta.owner == wallet and delta.decimals == 0 and (delta.pre, delta.post) == (0, 1)
    ]
