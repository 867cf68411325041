"""What leaves a signer: balances for what moved, data for what may be taken later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount, TokenAccountState

from chain.types import SYSTEM_PROGRAM, AccountSample, Simulation, TokenBalance
from executions.errors import LimitExceeded, SimulationFailed
from executions.outflow import Balances, Granted, Look, gainers, granted, outflow

TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
STAKE = "Stake11111111111111111111111111111111111111"
WSOL = "So11111111111111111111111111111111111111112"
RENT = 2_039_280
SIGNER, BOB, VAULT, MINT = (str(Pubkey.new_unique()) for _ in range(4))


def held(index: int, amount: int, *, owner: str = SIGNER, mint: str = MINT) -> TokenBalance:
    return TokenBalance(index, mint, owner, TOKEN, amount, 6)


def balances(before: list[int], after: list[int], tokens_before: Any = (), tokens_after: Any = ()) -> Balances:
    return Balances(before, after, list(tokens_before), list(tokens_after))


def token_account(**changes: Any) -> AccountSample:
    fields: dict[str, Any] = {
        "mint": Pubkey.from_string(MINT),
        "owner": Pubkey.from_string(SIGNER),
        "amount": 100,
        "delegate": None,
        "state": TokenAccountState.Initialized,
        "is_native": None,
        "delegated_amount": 0,
        "close_authority": None,
    }
    lamports = changes.pop("lamports", RENT)
    return AccountSample.of(1, lamports, TOKEN, bytes(TokenAccount(**{**fields, **changes})))


def look(before: AccountSample | None, after: AccountSample | None) -> Look:
    return Look([VAULT], [before], [after])


def test_a_payment_costs_its_amount_and_its_fee() -> None:
    """The priority fee is not in a simulated balance, so it is added."""
    paid = balances([1_000_000, 0], [895_000, 100_000])
    assert outflow(paid, SIGNER, fee_lamports=50).lamports == 105_050


def test_rent_for_somebody_elses_account_leaves() -> None:
    """A new account of the recipient holds the rent from now on."""
    opened = balances([RENT + 10_000, 0], [5_000, RENT], [], [held(1, 0, owner=BOB)])
    assert outflow(opened, SIGNER).lamports == RENT + 5_000


def test_closing_an_own_account_to_oneself_costs_the_fee_alone() -> None:
    """The rent was the signer's before and is afterwards."""
    closed = balances([10_000, RENT], [5_000 + RENT, 0], [held(1, 0)])
    assert outflow(closed, SIGNER) == outflow(balances([10_000], [5_000]), SIGNER)


def test_closing_an_own_account_to_somebody_else_costs_its_rent() -> None:
    """Although the wallet paid nothing but the fee."""
    closed = balances([10_000, RENT, 0], [5_000, 0, RENT], [held(1, 0)])
    assert outflow(closed, SIGNER).lamports == RENT + 5_000


def test_an_account_given_to_another_owner_takes_tokens_and_rent_along() -> None:
    """Nothing moved, and all of it has left."""
    given = balances([10_000, RENT], [5_000, RENT], [held(1, 70)], [held(1, 70, owner=BOB)])
    assert outflow(given, SIGNER).tokens == {MINT: 70}
    assert outflow(given, SIGNER).lamports == RENT + 5_000


def test_tokens_between_own_accounts_stay() -> None:
    """They are counted by owner and mint, not by account."""
    moved = balances([10_000, RENT, RENT], [5_000, RENT, RENT], [held(1, 70), held(2, 0)], [held(1, 20), held(2, 50)])
    assert outflow(moved, SIGNER).tokens == {}


def test_wrapped_sol_is_counted_once_as_a_token() -> None:
    """Its lamports are the same money."""
    before, after = [held(1, 500, mint=WSOL)], [held(1, 200, mint=WSOL)]
    moved = balances([10_000, RENT + 500], [5_000, RENT + 200], before, after)
    assert outflow(moved, SIGNER).tokens == {WSOL: 300}
    assert outflow(moved, SIGNER).lamports == 5_000


@pytest.mark.parametrize("missing", ["pre_balances", "post_balances", "pre_token_balances", "post_token_balances"])
def test_a_simulation_without_balances_is_no_permission(missing: str) -> None:
    """An older node says nothing of what would be spent."""
    told = Simulation(1, None, (), 1, 5000, (1,), (1,), (), (), (), None)
    assert Balances.of_simulation(told).before == (1,)
    absent: dict[str, Any] = {missing: None}
    with pytest.raises(SimulationFailed, match="no balances"):
        Balances.of_simulation(replace(told, **absent))


def test_a_new_delegate_counts_with_all_it_may_take() -> None:
    """Also above what is there now: it may take what comes later."""
    after = token_account(delegate=Pubkey.from_string(BOB), delegated_amount=10_000)
    assert granted(look(token_account(), after), SIGNER) == Granted(0, {MINT: 10_000})


def test_a_delegate_counts_with_what_was_added() -> None:
    """What it could take before was decided before; another delegate starts from nothing."""
    known = token_account(delegate=Pubkey.from_string(BOB), delegated_amount=40)
    more = token_account(delegate=Pubkey.from_string(BOB), delegated_amount=100)
    other = token_account(delegate=Pubkey.from_string(VAULT), delegated_amount=40)
    assert granted(look(known, more), SIGNER).tokens == {MINT: 60}
    assert granted(look(more, known), SIGNER).tokens == {}
    assert granted(look(known, other), SIGNER).tokens == {MINT: 40}


def test_a_new_close_authority_counts_with_the_accounts_lamports() -> None:
    """It can have them whenever the account is empty."""
    after = token_account(close_authority=Pubkey.from_string(BOB))
    assert granted(look(token_account(), after), SIGNER).lamports == RENT


def test_what_others_do_with_their_accounts_does_not_count() -> None:
    """A delegate of Bob's account is Bob's business."""
    owner = Pubkey.from_string(BOB)
    after = token_account(owner=owner, delegate=owner, delegated_amount=9)
    assert granted(look(token_account(owner=owner), after), SIGNER) == Granted()


def stake(lamports: int, withdrawer: str) -> AccountSample:
    staker = bytes(Pubkey.from_string(SIGNER))
    data = (2).to_bytes(4, "little") + bytes(8) + staker + bytes(Pubkey.from_string(withdrawer)) + bytes(124)
    return AccountSample.of(1, lamports, STAKE, data)


def test_lamports_of_a_stake_account_leave_with_it() -> None:
    """By withdrawal, by closing, or because somebody else may withdraw from now on."""
    assert granted(look(stake(900, SIGNER), stake(600, SIGNER)), SIGNER).lamports == 300
    assert granted(look(stake(900, SIGNER), None), SIGNER).lamports == 900
    assert granted(look(stake(900, SIGNER), stake(900, BOB)), SIGNER).lamports == 900


def test_a_withdrawal_to_the_wallet_costs_the_fee_alone() -> None:
    """What the stake account gave, the wallet got."""
    given = granted(look(stake(900, SIGNER), stake(600, SIGNER)), SIGNER)
    assert outflow(balances([10_000, 900], [5_300, 600]), SIGNER, given).lamports == 5_000


def test_a_power_without_an_amount_is_refused() -> None:
    """Nobody could say what a mint authority is worth."""
    signer, bob = Pubkey.from_string(SIGNER), Pubkey.from_string(BOB)

    def mint(authority: Pubkey | None) -> AccountSample:
        made = Mint(mint_authority=authority, supply=1, decimals=0, is_initialized=True, freeze_authority=None)
        return AccountSample.of(1, RENT, TOKEN, bytes(made))

    for successor in (bob, None):
        with pytest.raises(LimitExceeded, match="mint authority") as refusal:
            granted(look(mint(signer), mint(successor)), SIGNER)
        assert refusal.value.code == "authority_changed"
    assert granted(look(mint(bob), mint(None)), SIGNER) == Granted()


def test_the_wallet_itself_is_not_handed_to_a_program() -> None:
    """`assign` moves no lamport and gives all of them away."""
    before = AccountSample.of(1, 10_000, SYSTEM_PROGRAM, b"")
    with pytest.raises(LimitExceeded, match="handed to") as refusal:
        granted(Look([SIGNER], [before], [AccountSample.of(1, 10_000, STAKE, b"")]), SIGNER)
    assert refusal.value.code == "authority_changed"
    assert granted(Look([SIGNER], [before], [AccountSample.of(1, 4_000, SYSTEM_PROGRAM, b"")]), SIGNER) == Granted()


def test_accounts_that_the_node_does_not_show_are_no_permission() -> None:
    """An answer without the accounts asked for."""
    with pytest.raises(SimulationFailed, match="does not show"):
        granted(Look([VAULT], [None], []), SIGNER)


def test_whoever_has_more_afterwards_is_a_recipient() -> None:
    """Token accounts by their owner; the signer's own accounts are not."""
    keys = [SIGNER, VAULT, MINT, BOB]
    paid = balances([90, 10, 10, 5], [10, 10, 10, 60], [held(1, 4), held(2, 9)], [held(1, 9, owner=BOB), held(2, 4)])
    assert gainers(paid, keys, SIGNER) == {BOB}


def test_what_was_granted_survives_its_way_through_the_database() -> None:
    """As JSON and back."""
    kept = Granted(-5, {MINT: 2**64})
    assert Granted.from_json(kept.as_json()) == kept
    assert Granted.from_json({}) == Granted()
