"""A signer that is only a delegate: it pays out of an owner's account what the owner has approved on chain, and what it
takes there counts against the same limits as its own. On a real SVM with the token programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from solders.pubkey import Pubkey
from spl.token import instructions as spl_token
from spl.token.models import CloseAccountParams, TransferCheckedParams

from chain.tx.instructions import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, associated_token_address
from chain.types import WRAPPED_SOL
from executions.models import Attempt, Execution, Reservation
from executions.pipeline import advance
from tests.executing import SOL, balance_event, call, new_address, settled, take_events
from tests.local_chain import LocalChain
from tests.owners import Owner
from tests.tokens import give_tokens, token_amount
from workflows.models import Signer, Workflow

pytestmark = pytest.mark.django_db(transaction=True)

FEE = 5_000
Run = Callable[..., Execution]


@pytest.fixture
def owner(chain: LocalChain) -> Owner:
    return Owner(chain)


def key(address: str) -> Pubkey:
    return Pubkey.from_string(address)


def pays(owner: Owner, mint: str, to: str, amount: int | str, **more: Any) -> dict[str, Any]:
    return {"type": "transfer_token", "mint": mint, "to": to, "amount": amount, "owner": owner.address, **more}


def pays_sol(owner: Owner, to: str, lamports: int | str, **more: Any) -> dict[str, Any]:
    return {"type": "transfer_sol", "to": to, "lamports": lamports, "owner": owner.address, **more}


def only_reservation() -> tuple[str, int, dict[str, int]]:
    (row,) = Reservation.objects.all()
    return row.status, row.lamports, row.tokens


@pytest.mark.parametrize("program", [TOKEN_PROGRAM, TOKEN_2022_PROGRAM])
def test_a_delegate_pays_out_of_the_owners_account_once_and_it_counts_as_its_own(
    make_workflow: Callable[..., Workflow], chain: LocalChain, signer: Signer, owner: Owner, program: str
) -> None:
    """The allowance shrinks on chain; the signer, who has no token, has paid the fee alone."""
    mint, to, watched = owner.with_tokens(100, program), new_address(), new_address()
    there = give_tokens(chain, to, mint, 0, program=program)
    owner.approve(signer.address, mint, 70, program)
    workflow = make_workflow(watched, [pays(owner, mint, to, 60)], max_tokens_per_tx={mint: 60})
    event = balance_event(watched, 10)

    (row_id,) = take_events(workflow, [event])
    assert take_events(workflow, [event]) == []
    advance([row_id])
    advance([row_id])
    row = settled(row_id)

    assert row.status == "success", row.error_detail
    assert token_amount(chain, there) == 60
    assert token_amount(chain, associated_token_address(owner.address, mint, program)) == 40
    assert Attempt.objects.count() == 1
    assert only_reservation() == ("settled", FEE, {mint: 60})


def test_sol_is_taken_out_of_what_the_owner_has_wrapped(
    run: Run, chain: LocalChain, signer: Signer, owner: Owner
) -> None:
    """The recipient gets SOL; the signer's own wrapped SOL stays as it is; nothing is left open behind it."""
    to, before = new_address(), chain.balance(signer.address)
    own, account = owner.wrap(1000, signer.address), owner.wrap(3 * SOL)
    owner.approve(signer.address, WRAPPED_SOL, SOL)

    row = run(pays_sol(owner, to, "0.6 SOL"), max_lamports_per_tx=SOL)

    assert row.status == "success", row.error_detail
    assert chain.balance(to) == 6 * SOL // 10
    assert token_amount(chain, account) == 24 * SOL // 10
    assert chain.balance(signer.address) == before - FEE
    assert token_amount(chain, own) == 1000
    assert only_reservation() == ("settled", 6 * SOL // 10 + FEE, {})


def test_several_payments_of_one_transaction_come_from_several_owners(
    run: Run, chain: LocalChain, signer: Signer, owner: Owner
) -> None:
    """Each unwraps for itself, and together they count."""
    other, (a, b, c) = Owner(chain), (new_address() for _ in range(3))
    for one in (owner, other):
        one.wrap(SOL)
        one.approve(signer.address, WRAPPED_SOL, SOL)
    actions = [pays_sol(owner, a, 2_000_000), pays_sol(other, b, 3_000_000), pays_sol(owner, c, 4_000_000)]

    assert run(*actions, max_lamports_per_tx=9_000_000 + FEE - 1).error_code == "limit_exceeded"
    assert run(*actions, max_lamports_per_tx=9_000_000 + FEE).status == "success"
    assert [chain.balance(one) for one in (a, b, c)] == [2_000_000, 3_000_000, 4_000_000]


def test_max_is_what_the_owner_has_and_allows(run: Run, chain: LocalChain, signer: Signer, owner: Owner) -> None:
    """The lesser of the two; `keep` stays in the account."""
    mint, to = owner.with_tokens(100), new_address()
    there = give_tokens(chain, to, mint, 0)
    owner.approve(signer.address, mint, 70)
    limits = {"max_tokens_per_tx": {mint: 1000}, "max_lamports_per_tx": 2 * SOL}

    assert run(pays(owner, mint, to, "max", keep=80), **limits).status == "success"
    assert token_amount(chain, there) == 20
    assert run(pays(owner, mint, to, "max"), **limits).status == "success"
    assert token_amount(chain, there) == 70
    nothing = run(pays(owner, mint, to, "max"), **limits)
    assert nothing.error_code == "nothing_to_send"
    assert "does not let the signer take it" in nothing.error_detail

    owner.wrap(SOL)
    assert run(pays_sol(owner, to, "max"), **limits).error_code == "nothing_to_send"
    owner.approve(signer.address, WRAPPED_SOL, SOL // 2)
    assert run(pays_sol(owner, to, "max"), **limits).status == "success"
    assert chain.balance(to) == SOL // 2


def test_more_than_the_allowance_fails_with_the_figures_and_reserves_nothing(
    run: Run, chain: LocalChain, signer: Signer, owner: Owner
) -> None:
    """The chain says no whatever our own limits say."""
    mint, to = owner.with_tokens(100), new_address()
    give_tokens(chain, to, mint, 0)
    owner.approve(signer.address, mint, 70)
    account = associated_token_address(owner.address, mint)

    row = run(pays(owner, mint, to, 71), max_tokens_per_tx={mint: 1000})

    assert (row.status, row.error_code) == ("failed", "simulation_failed")
    assert row.error_detail.endswith(
        f"InsufficientFunds (custom error 1): insufficient funds; 71 base units were to be taken from {account}, which "
        f"holds 100 and of which its owner {owner.address} lets the signer take 70 more"
    )
    assert not Attempt.objects.exists()
    assert not Reservation.objects.exists()
    assert token_amount(chain, account) == 100

    owner.wrap(SOL)
    owner.approve(signer.address, WRAPPED_SOL, 5)
    row = run(pays_sol(owner, to, 6), max_lamports_per_tx=SOL)
    assert "lets the signer take 5 more" in row.error_detail
    assert not Reservation.objects.exists()


def test_what_was_revoked_or_used_up_is_told_as_that(run: Run, chain: LocalChain, signer: Signer, owner: Owner) -> None:
    """Never approved looks the same on chain; an account that is not there does not."""
    mint, to = owner.with_tokens(100), new_address()
    give_tokens(chain, to, mint, 0)
    account = associated_token_address(owner.address, mint)
    pay = pays(owner, mint, to, 10)
    told = (
        f"OwnerMismatch (custom error 4): owner does not match; the owner of {account} has not approved the signer, "
        f"has revoked the approval, or it is used up; its owner is {owner.address}"
    )

    assert run(pay, max_tokens_per_tx={mint: 10}).error_detail.endswith(told)
    owner.approve(signer.address, mint, 10)
    assert run(pay, max_tokens_per_tx={mint: 10}).status == "success"
    assert run(pay, max_tokens_per_tx={mint: 10}).error_detail.endswith(told)
    owner.approve(signer.address, mint, 10)
    owner.revoke(mint)
    assert run(pay, max_tokens_per_tx={mint: 10}).error_detail.endswith(told)
    missing = run(pays_sol(owner, to, 10))
    unwrapped = associated_token_address(owner.address, WRAPPED_SOL)
    assert missing.error_detail.endswith(f"there is no token account {unwrapped} to take from")


def test_every_limit_holds_for_an_owners_tokens(run: Run, chain: LocalChain, signer: Signer, owner: Owner) -> None:
    """By transaction, by day, by mint, by recipient; the allowance is far above all of them."""
    mint, to = owner.with_tokens(10_000), new_address()
    give_tokens(chain, to, mint, 0)
    owner.approve(signer.address, mint, 10_000)
    computed = pays(owner, mint, to, "{{ event.slot * 7 }}")

    unnamed = {**computed, "mint": f"{{{{ '{mint}' }}}}"}
    assert "does not name that mint" in run(unnamed).error_detail
    over = run(computed, max_tokens_per_tx={mint: 69})
    assert f"70 base units of {mint} would leave, 1 above max_tokens_per_tx (69)" in over.error_detail
    stranger = run({**computed, "to": f"{{{{ '{to}' }}}}"}, max_tokens_per_tx={mint: 70}, allowed_recipients=[mint])
    assert stranger.error_code == "recipient_not_allowed"
    assert not Reservation.objects.exists()


def test_a_days_limits_hold_for_an_owners_tokens_and_sol(
    make_workflow: Callable[..., Workflow], chain: LocalChain, signer: Signer, owner: Owner
) -> None:
    """Settled with what the chain took, so the second payment is too much."""
    mint, to = owner.with_tokens(10_000), new_address()
    give_tokens(chain, to, mint, 0)
    owner.approve(signer.address, mint, 10_000)
    owner.wrap(SOL)
    owner.approve(signer.address, WRAPPED_SOL, SOL)

    def twice(action: dict[str, Any], **limits: Any) -> list[str]:
        watched = new_address()
        workflow = make_workflow(watched, [action], **limits)
        ends = []
        for slot in (10, 11):
            (row_id,) = take_events(workflow, [balance_event(watched, slot)])
            advance([row_id])
            ends.append(settled(row_id))
        return [row.error_code or row.status for row in ends]

    by_mint = {"max_tokens_per_tx": {mint: 60}, "max_tokens_per_day": {mint: 100}}
    assert twice(pays(owner, mint, to, 60), **by_mint) == ["success", "daily_limit_exceeded"]
    lamports = {"max_lamports_per_tx": SOL, "max_lamports_per_day": SOL // 2}
    assert twice(pays_sol(owner, to, SOL // 3), **lamports) == ["success", "daily_limit_exceeded"]

    signer.max_lamports_per_day = SOL // 2
    signer.save()
    assert twice(pays_sol(owner, to, SOL // 4), max_lamports_per_tx=SOL) == ["daily_limit_exceeded"] * 2


def moved(owner: Owner, signer: Signer, mint: str, to: str, amount: int, decimals: int) -> dict[str, Any]:
    """The same payment as a call of the token program by its bytes."""
    params = TransferCheckedParams(
        program_id=key(TOKEN_PROGRAM),
        source=key(associated_token_address(owner.address, mint)),
        mint=key(mint),
        dest=key(to),
        owner=key(signer.address),
        amount=amount,
        decimals=decimals,
    )
    return call(spl_token.transfer_checked(params))


def test_a_raw_call_that_takes_from_an_owner_counts_too(
    run: Run, chain: LocalChain, signer: Signer, owner: Owner
) -> None:
    """The definition names no owner then; the account's data does. Moving it to the signer itself counts as well."""
    mint = owner.with_tokens(100)
    own, other = give_tokens(chain, signer.address, mint, 0), give_tokens(chain, new_address(), mint, 0)
    owner.approve(signer.address, mint, 100)

    for there in (own, other):
        assert "does not name that mint" in run(moved(owner, signer, mint, there, 10, 6)).error_detail
        refused = run(moved(owner, signer, mint, there, 10, 6), max_tokens_per_tx={mint: 9})
        assert refused.error_code == "limit_exceeded"
        assert run(moved(owner, signer, mint, there, 10, 6), max_tokens_per_tx={mint: 10}).status == "success"
    assert [row.tokens for row in Reservation.objects.all()] == [{mint: 10}, {mint: 10}]


def test_sol_that_a_raw_call_keeps_for_the_signer_counts_as_what_it_took(
    run: Run, chain: LocalChain, signer: Signer, owner: Owner
) -> None:
    """The signer is richer afterwards, and the owner is poorer."""
    own = owner.wrap(0, signer.address)
    owner.wrap(SOL)
    owner.approve(signer.address, WRAPPED_SOL, SOL)
    closed = call(
        spl_token.close_account(
            CloseAccountParams(
                program_id=key(TOKEN_PROGRAM), account=key(own), dest=key(signer.address), owner=key(signer.address)
            )
        )
    )
    taken = moved(owner, signer, WRAPPED_SOL, own, SOL // 2, 9)

    assert run(taken, closed, max_lamports_per_tx=SOL // 2 - 1).error_code == "limit_exceeded"
    assert run(taken, closed, max_lamports_per_tx=SOL // 2).status == "success"
    assert only_reservation()[:2] == ("settled", SOL // 2)
