"""NFTs that arrive at a wallet, seen by a real listener process on the local chain, live and read back."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token import instructions as spl_token
from spl.token.models import CloseAccountParams

from chain.tx.instructions import (
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    associated_token_address,
    create_associated_token_account_idempotent,
    transfer_token_checked,
)
from listener.models import Gap
from listener.selectors import totals
from tests.local_chain import LocalChain
from tests.nfts import new_nft
from tests.stack import Stack
from tests.tokens import give_tokens, new_mint
from tests.waiting import wait_for
from tests.watching import covering, enabled, events, new_address, send
from workflows.models import Workflow

PATIENCE_S = 20.0


def give(
    chain: LocalChain, owner: Keypair, mint: str, wallet: str, program: str = TOKEN_PROGRAM, amount: int = 1
) -> str:
    """Move an NFT to the wallet's associated account, which is opened for it; answers the signature."""
    source, target = (associated_token_address(address, mint, program) for address in (str(owner.pubkey()), wallet))
    opened = create_associated_token_account_idempotent(str(owner.pubkey()), wallet, mint, program)
    moved = transfer_token_checked(source, mint, target, str(owner.pubkey()), amount, 0, program)
    return send(chain, owner, opened, moved)


def arrived(workflow: Workflow) -> set[tuple[str, str | None, bool]]:
    return {(event["mint"], event["collection"], event["collection_verified"]) for event in events(workflow)}


def test_an_nft_that_arrives_is_an_event_with_its_collection(stack: Stack, chain: LocalChain, funded: Keypair) -> None:
    wallet, collection, owner = new_address(), new_address(), str(funded.pubkey())
    any_nft = enabled({"type": "nft_receipt", "wallet": wallet})
    of_collection = enabled({"type": "nft_receipt", "wallet": wallet, "collection": collection})
    claimed = enabled({"type": "nft_receipt", "wallet": wallet, "collection": collection, "verified_only": False})
    real, _ = new_nft(chain, owner, collection)
    fake, _ = new_nft(chain, owner, collection, verified=False)
    bare, _ = new_nft(chain, owner, has_metadata=False)
    newer, _ = new_nft(chain, owner, None, program=TOKEN_2022_PROGRAM)
    fungible = new_mint(chain, decimals=0)
    give_tokens(chain, owner, fungible, 100)
    stack.start("listener")
    wait_for(covering(2), PATIENCE_S, "the wallet's accounts of both token programs")

    give(chain, funded, fungible, wallet, amount=7)
    for mint in (real, fake, bare):
        give(chain, funded, mint, wallet)
    signature = give(chain, funded, newer, wallet, TOKEN_2022_PROGRAM)

    wait_for(lambda: len(events(any_nft)) == 4, PATIENCE_S, "every NFT")
    everything = {(real, collection, True), (fake, collection, False), (bare, None, False), (newer, None, False)}
    assert arrived(any_nft) == everything
    wait_for(lambda: len(events(claimed)) == 2, PATIENCE_S, "those that name the collection")
    assert arrived(of_collection) == {(real, collection, True)}
    event = next(event for event in events(any_nft) if event["mint"] == newer)
    account = associated_token_address(wallet, newer, TOKEN_2022_PROGRAM)
    assert (event["signature"], event["account"], event["token_account"]) == (signature, account, account)
    assert (event["wallet"], event["amount"], event["amount_delta"], event["decimals"]) == (wallet, 1, 1, 0)


@pytest.mark.parametrize("trouble", ["dropped sockets", "killed listener"])
def test_no_nft_is_lost_or_doubled(stack: Stack, chain: LocalChain, funded: Keypair, trouble: str) -> None:
    wallet, collection = new_address(), new_address()
    workflow = enabled({"type": "nft_receipt", "wallet": wallet, "collection": collection})
    stack.start("listener")
    wait_for(covering(2), PATIENCE_S, "the subscriptions")

    mints = set()
    for number in range(6):
        mint, _ = new_nft(chain, str(funded.pubkey()), collection)
        give(chain, funded, mint, wallet)
        mints.add(mint)
        chain.warp(1)
        if trouble == "dropped sockets":
            chain.drop_sockets()
        elif number in (1, 4):
            stack.listener.kill()
        elif number in (2, 5):
            stack.start("listener")
    if not stack.listener.running:
        stack.start("listener")

    wait_for(lambda: len(events(workflow)) >= len(mints), PATIENCE_S, "every NFT")
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gaps to be filled")
    assert sorted(event["mint"] for event in events(workflow)) == sorted(mints)
    assert not Gap.objects.filter(status="lost").exists()


def test_an_nft_that_came_and_went_unseen_is_found_by_the_wallets_own_transactions(
    stack: Stack, chain: LocalChain, funded: Keypair
) -> None:
    """The token account is closed by the time that anybody looks."""
    wallet = Keypair()
    address = str(wallet.pubkey())
    chain.wait_for_status(chain.airdrop(address, 10**9))
    workflow = enabled({"type": "nft_receipt", "wallet": address})
    mint, _ = new_nft(chain, str(funded.pubkey()))
    signature = give(chain, funded, mint, address)
    chain.wait_for_status(signature)
    gone = give(chain, wallet, mint, str(funded.pubkey()))
    chain.wait_for_status(gone)
    account = Pubkey.from_string(associated_token_address(address, mint))
    closing = CloseAccountParams(
        account=account, dest=wallet.pubkey(), owner=wallet.pubkey(), program_id=Pubkey.from_string(TOKEN_PROGRAM)
    )
    chain.wait_for_status(send(chain, wallet, spl_token.close_account(closing)))

    stack.start("listener")

    wait_for(lambda: events(workflow), PATIENCE_S, "the NFT")
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gaps to be filled")
    assert [event["signature"] for event in events(workflow)] == [signature]
