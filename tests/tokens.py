"""Mints and token accounts on the local chain, written as they would be after whatever made them."""

from __future__ import annotations

import base64
from typing import Any

from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount, TokenAccountState

from chain.tx.instructions import TOKEN_PROGRAM, associated_token_address
from tests.executing import new_address
from tests.local_chain import LocalChain
from tests.waiting import wait_for

MINT_RENT, TOKEN_ACCOUNT_RENT = 1_461_600, 2_039_280


def new_mint(
    chain: LocalChain, *, authority: str | None = None, decimals: int = 6, program: str = TOKEN_PROGRAM
) -> str:
    """A mint; `authority` may make more of it."""
    mint = Mint(
        mint_authority=None if authority is None else Pubkey.from_string(authority),
        supply=10**12,
        decimals=decimals,
        is_initialized=True,
        freeze_authority=None,
    )
    address = new_address()
    _write(chain, address, lamports=MINT_RENT, owner=program, data=base64.b64encode(bytes(mint)).decode())
    return address


def give_tokens(chain: LocalChain, wallet: str, mint: str, amount: int, *, program: str = TOKEN_PROGRAM) -> str:
    """The wallet's associated account with `amount` base units; returns its address."""
    account = TokenAccount(
        mint=Pubkey.from_string(mint),
        owner=Pubkey.from_string(wallet),
        amount=amount,
        delegate=None,
        state=TokenAccountState.Initialized,
        is_native=None,
        delegated_amount=0,
        close_authority=None,
    )
    address = associated_token_address(wallet, mint, program)
    data = base64.b64encode(bytes(account)).decode()
    _write(chain, address, lamports=TOKEN_ACCOUNT_RENT, owner=program, data=data)
    return address


def _write(chain: LocalChain, address: str, **fields: Any) -> None:
    """Overwrite an account; on return it is confirmed, because that is how workers read and simulate."""
    chain.set_account(address, **fields)
    slot = chain.slot()
    wait_for(lambda: chain.slot("confirmed") >= slot, 10, f"{address} is confirmed")


def token_amount(chain: LocalChain, token_account: str) -> int:
    """Base units in a token account; 0 where it does not exist."""
    value = chain.call("getAccountInfo", [token_account, {"encoding": "base64", "commitment": "processed"}])["value"]
    return 0 if value is None else int.from_bytes(base64.b64decode(value["data"][0])[64:72], "little")
