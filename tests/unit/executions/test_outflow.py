"""What leaves a signer: balances for what moved, data for what may be taken later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount, TokenAccountState

from chain.types import SYSTEM_PROGRAM, AccountSample, Simulation, TokenBalance
from executions.errors import LimitExceeded, SimulationFailed
from executions.outflow import Balances, Granted, Look, Outflow, gainers, granted, outflow

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
    assert Balances.of_simulation(told, [SIGNER]).before == (1,)
    absent: dict[str, Any] = {missing: None}
    with pytest.raises(SimulationFailed, match="no balances"):
        Balances.of_simulation(replace(told, **absent), [SIGNER])


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


OWNER = str(Pubkey.new_unique())
DRAWABLE = Granted(drawable=frozenset({VAULT}))


def drawn(amount: int, left: int | None, *more: TokenBalance, mint: str = MINT, wallet: int = 5_000) -> Balances:
    """The signer's wallet loses `wallet`; the owner's account had `amount` and has `left` (None: it is closed)."""
    before, after = (RENT + (each or 0) if mint == WSOL else RENT for each in (amount, left))
    kept = [] if left is None else [held(1, left, owner=OWNER, mint=mint)]
    return Balances(
        [100_000, before, RENT],
        [100_000 - wallet, after if left is not None else 0, RENT],
        [held(1, amount, owner=OWNER, mint=mint)],
        [*kept, *more],
        [SIGNER, VAULT, BOB],
    )


def test_what_leaves_an_owners_account_by_the_signers_hand_is_the_signers_outflow() -> None:
    """The same balances without the right to take them are somebody else's matter."""
    assert outflow(drawn(100, 40), SIGNER, DRAWABLE).tokens == {MINT: 60}
    assert outflow(drawn(100, 40), SIGNER, DRAWABLE).lamports == 5_000
    assert outflow(drawn(100, 40), SIGNER).tokens == {}


def test_wrapped_sol_of_an_owner_counts_as_lamports() -> None:
    """Whether or not it is unwrapped: the caps on lamports are those that people set."""
    assert outflow(drawn(900, 300, mint=WSOL), SIGNER, DRAWABLE) == Outflow(5_600, {}, DRAWABLE)


def test_what_the_signer_gains_does_not_make_up_for_what_it_takes() -> None:
    """Tokens that it moves to itself have left their owner; so has SOL that it keeps."""
    moved = drawn(100, 40, held(2, 60))
    assert outflow(moved, SIGNER, DRAWABLE).tokens == {MINT: 60}
    assert outflow(drawn(900, 300, mint=WSOL, wallet=-595), SIGNER, DRAWABLE).lamports == 600


def test_what_an_owner_gains_does_not_make_up_for_what_the_signer_pays() -> None:
    """The owner can take it away again, so it has left."""
    paid = drawn(0, 70)
    paid = replace(paid, tokens_before=[*paid.tokens_before, held(2, 70)])
    assert outflow(paid, SIGNER, DRAWABLE).tokens == {MINT: 70}


def test_an_account_that_is_closed_or_passed_on_has_left_as_a_whole() -> None:
    """A close authority takes the rent along."""
    assert outflow(drawn(100, None), SIGNER, DRAWABLE) == Outflow(5_000 + RENT, {MINT: 100}, DRAWABLE)
    passed = replace(drawn(100, None), after=[95_000, RENT, RENT], tokens_after=[held(1, 100, owner=BOB)])
    assert outflow(passed, SIGNER, DRAWABLE).tokens == {MINT: 100}


def test_an_own_account_is_counted_once() -> None:
    """Although the signer's signature took from it."""
    own = Balances([10, RENT], [5, RENT], [held(1, 100)], [held(1, 40)], [SIGNER, VAULT], frozenset({VAULT}))
    assert outflow(own, SIGNER).tokens == {MINT: 60}


@pytest.mark.parametrize("power", ["delegate", "close_authority"])
def test_the_data_says_which_accounts_of_others_the_signer_may_take_from(power: str) -> None:
    """A delegate may take the tokens, a close authority the rent and what is wrapped."""
    theirs = token_account(owner=Pubkey.from_string(OWNER), **{power: Pubkey.from_string(SIGNER)})
    assert granted(look(theirs, theirs), SIGNER).drawable == {VAULT}
    assert not granted(look(theirs, theirs), BOB).drawable


def test_an_instruction_that_takes_from_an_account_of_others_is_counted_whatever_the_data_says() -> None:
    """A permanent delegate's power is in the mint. Its own accounts are no account of others."""
    theirs, own = token_account(owner=Pubkey.from_string(OWNER)), token_account()
    assert granted(look(theirs, theirs), SIGNER, frozenset({VAULT})).drawable == {VAULT}
    assert not granted(look(own, own), SIGNER, frozenset({VAULT})).drawable


def test_the_power_to_close_an_owners_account_counts_when_it_is_passed_on() -> None:
    """As with an own account: all its lamports."""
    owner, signer, bob = (Pubkey.from_string(one) for one in (OWNER, SIGNER, BOB))
    theirs = token_account(owner=owner, close_authority=signer)
    assert granted(look(theirs, token_account(owner=owner, close_authority=bob)), SIGNER).lamports == RENT
    assert granted(look(theirs, token_account(owner=owner, close_authority=None)), SIGNER).lamports == 0


def test_what_was_granted_comes_back_from_the_database_as_it_was() -> None:
    """Rows from before this are read too."""
    stored = Granted(5, {MINT: 7}, frozenset({VAULT, BOB}))
    assert Granted.from_json(stored.as_json()) == stored
    assert Granted.from_json({"lamports": 5, "tokens": {MINT: "7"}}) == replace(stored, drawable=frozenset())
