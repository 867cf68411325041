"""Limits judge what a simulation says leaves the signer, whatever the instructions claim: on a real SVM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from solders.pubkey import Pubkey
from solders.system_program import AssignParams, TransferParams, assign
from solders.system_program import transfer as system_transfer
from spl.token import instructions as spl_token
from spl.token.models import ApproveParams, AuthorityType, CloseAccountParams, SetAuthorityParams

from chain.tx.instructions import TOKEN_PROGRAM, create_associated_token_account_idempotent
from executions.models import Attempt, Execution, Reservation
from tests.executing import call, execution, new_address
from tests.local_chain import LocalChain
from tests.tokens import TOKEN_ACCOUNT_RENT, give_tokens, new_mint, token_amount
from workflows.models import Signer

pytestmark = pytest.mark.django_db(transaction=True)

FEE = 5_000
PROGRAM = Pubkey.from_string(TOKEN_PROGRAM)


def key(address: str) -> Pubkey:
    return Pubkey.from_string(address)


def approval(signer: Signer, source: str, delegate: str, amount: int) -> dict[str, Any]:
    params = ApproveParams(
        program_id=PROGRAM, source=key(source), delegate=key(delegate), owner=key(signer.address), amount=amount
    )
    return call(spl_token.approve(params))


def test_an_inner_instruction_that_moves_more_than_the_limit_is_refused_and_says_by_how_much(
    run: Callable[..., Execution], chain: LocalChain, signer: Signer
) -> None:
    """The call names no amount; the rent that its program takes for the new account is above the default limit."""
    opened = create_associated_token_account_idempotent(signer.address, new_address(), new_mint(chain))
    leaves, before = TOKEN_ACCOUNT_RENT + FEE, chain.balance(signer.address)

    row = run(call(opened))

    assert (row.status, row.error_code) == ("failed", "limit_exceeded")
    over = leaves - 1_000_000
    assert row.error_detail == (
        f"{leaves} lamports would leave (fee and rent included), {over} above max_lamports_per_tx (1000000)"
    )
    assert not Attempt.objects.exists()
    assert chain.balance(signer.address) == before


def test_within_the_limit_the_same_call_lands_and_is_settled_with_its_rent(
    run: Callable[..., Execution], chain: LocalChain, signer: Signer
) -> None:
    """What was reserved is what the chain charged."""
    opened = create_associated_token_account_idempotent(signer.address, new_address(), new_mint(chain))

    assert run(call(opened), max_lamports_per_tx=3_000_000).status == "success"

    reservation = Reservation.objects.get()
    assert (reservation.status, reservation.lamports) == ("settled", TOKEN_ACCOUNT_RENT + FEE)


def test_a_token_payment_lands_within_its_limits(
    run: Callable[..., Execution], chain: LocalChain, signer: Signer
) -> None:
    """Counted by mint in base units, settled with what left."""
    to, mint = new_address(), new_mint(chain)
    give_tokens(chain, signer.address, mint, 100)
    there = give_tokens(chain, to, mint, 0)

    action = {"type": "transfer_token", "mint": mint, "to": to, "amount": 60}
    assert run(action, max_tokens_per_tx={mint: 60}).status == "success"

    assert token_amount(chain, there) == 60
    assert Reservation.objects.get().tokens == {mint: 60}


def test_a_new_delegate_counts_as_if_it_had_taken_everything(
    run: Callable[..., Execution], chain: LocalChain, signer: Signer
) -> None:
    """Approving moves nothing; above the limit it is refused all the same, and what it may take stays in the sums."""
    mint, delegate = new_mint(chain), new_address()
    source = give_tokens(chain, signer.address, mint, 100)
    limits = {"max_tokens_per_tx": {mint: 70}, "max_tokens_per_day": {mint: 100}}

    refused = run(approval(signer, source, delegate, 80), **limits)
    assert (refused.status, refused.error_code) == ("failed", "limit_exceeded")
    assert f"80 base units of {mint} would leave, 10 above max_tokens_per_tx (70)" in refused.error_detail

    assert run(approval(signer, source, delegate, 70), **limits).status == "success"
    reservation = Reservation.objects.get()
    assert (reservation.status, reservation.tokens) == ("settled", {mint: 70})


def test_an_account_given_away_counts_with_its_tokens_and_its_rent(
    run: Callable[..., Execution], chain: LocalChain, signer: Signer
) -> None:
    """Another owner, another's money."""
    mint = new_mint(chain)
    source = give_tokens(chain, signer.address, mint, 100)
    params = SetAuthorityParams(
        program_id=PROGRAM,
        account=key(source),
        authority=AuthorityType.ACCOUNT_OWNER,
        current_authority=key(signer.address),
        new_authority=key(new_address()),
    )
    given = call(spl_token.set_authority(params))

    assert "max_lamports_per_tx" in run(given).error_detail
    refused = run(given, max_lamports_per_tx=3_000_000, max_tokens_per_tx={mint: 99})
    assert f"100 base units of {mint} would leave" in refused.error_detail


def test_closing_an_account_to_somebody_else_counts_with_its_rent(
    run: Callable[..., Execution], chain: LocalChain, signer: Signer
) -> None:
    """To oneself it costs the fee alone."""
    mint = new_mint(chain)
    source = give_tokens(chain, signer.address, mint, 0)

    def closed_to(address: str) -> dict[str, Any]:
        params = CloseAccountParams(
            program_id=PROGRAM, account=key(source), dest=key(address), owner=key(signer.address)
        )
        return call(spl_token.close_account(params))

    assert run(closed_to(new_address())).error_code == "limit_exceeded"
    assert run(closed_to(signer.address)).status == "success"
    assert Reservation.objects.get().lamports == FEE


def test_a_power_without_an_amount_is_never_given_away(
    run: Callable[..., Execution], chain: LocalChain, signer: Signer
) -> None:
    """Whoever may mint is worth more than any limit can say; so is the wallet itself."""
    mint = new_mint(chain, authority=signer.address)
    params = SetAuthorityParams(
        program_id=PROGRAM,
        account=key(mint),
        authority=AuthorityType.MINT_TOKENS,
        current_authority=key(signer.address),
        new_authority=key(new_address()),
    )
    passed_on = call(spl_token.set_authority(params))
    handed_over = call(assign(AssignParams(pubkey=key(signer.address), owner=PROGRAM)))

    for action, words in ((passed_on, "mint authority"), (handed_over, "would be handed to")):
        row = run(action, max_lamports_per_tx=10**10)
        assert (row.status, row.error_code) == ("failed", "authority_changed")
        assert words in row.error_detail


def test_whoever_gains_must_be_allowed_whatever_the_call_says(
    run: Callable[..., Execution], chain: LocalChain, signer: Signer
) -> None:
    """A raw call names accounts, not recipients."""
    friend, stranger = new_address(), new_address()

    def paid(to: str) -> dict[str, Any]:
        return call(
            system_transfer(TransferParams(from_pubkey=key(signer.address), to_pubkey=key(to), lamports=900_000))
        )

    refused = run(paid(stranger), allowed_recipients=[friend])
    assert (refused.status, refused.error_code) == ("failed", "recipient_not_allowed")
    assert stranger in refused.error_detail
    assert run(paid(friend), allowed_recipients=[friend]).status == "success"
    assert execution(refused.id).status == "failed"
