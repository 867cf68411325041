"""What a simulated transaction does to balances, as people look at it."""

from __future__ import annotations

from chain.types import TokenBalance
from executions.balance_changes import BalanceChange, balance_changes
from executions.outflow import Balances

KEYS = ["signer", "token account", "recipient", "program"]


def token(index: int, owner: str | None, amount: int) -> TokenBalance:
    return TokenBalance(index, "mint", owner, None, amount, 6)


def test_only_what_changes_is_told_and_the_signer_pays_the_fee_that_the_simulation_leaves_out() -> None:
    balances = Balances([100, 5, 7, 1], [80, 5, 17, 1], [], [])
    assert balance_changes(balances, KEYS, fee_lamports=3) == (
        BalanceChange("signer", -23),
        BalanceChange("recipient", 10),
    )


def test_tokens_are_told_by_owner_and_one_account_may_be_new() -> None:
    balances = Balances([1] * 4, [1] * 4, [token(1, "signer", 50)], [token(1, "signer", 20), token(2, "bob", 30)])
    assert balance_changes(balances, KEYS) == (
        BalanceChange("signer", -30, "mint", 6),
        BalanceChange("bob", 30, "mint", 6),
    )


def test_tokens_whose_owner_a_node_does_not_tell_are_told_by_their_account() -> None:
    balances = Balances([1] * 4, [1] * 4, [], [token(1, None, 4)])
    assert balance_changes(balances, KEYS) == (BalanceChange("token account", 4, "mint", 6),)
