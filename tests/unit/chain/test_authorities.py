"""Who controls an account, read from bytes that the programs' own structures give."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount, TokenAccountState

from chain.decode import authorities
from chain.types import SYSTEM_PROGRAM, AccountSample

TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
STAKE = "Stake11111111111111111111111111111111111111"
LOADER = "BPFLoaderUpgradeab1e11111111111111111111111"
TABLES = "AddressLookupTab1e1111111111111111111111111"
ALICE, BOB, CAROL, MINT = (Pubkey.new_unique() for _ in range(4))


def account(owner: str, data: bytes, lamports: int = 1) -> AccountSample:
    return AccountSample.of(1, lamports, owner, data)


def token_account(**changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "mint": MINT,
        "owner": ALICE,
        "amount": 5,
        "delegate": BOB,
        "state": TokenAccountState.Initialized,
        "is_native": None,
        "delegated_amount": 3,
        "close_authority": CAROL,
    }
    return bytes(TokenAccount(**{**fields, **changes}))


@pytest.mark.parametrize(("program", "extension"), [(TOKEN, b""), (TOKEN_2022, b""), (TOKEN_2022, b"\x02" + bytes(9))])
def test_a_token_account_names_its_owner_delegate_and_close_authority(program: str, extension: bytes) -> None:
    """The same in both programs, with extensions or without."""
    found = authorities.read(account(program, token_account() + extension))
    assert found is not None and found.token is not None
    assert (found.keeper, found.token.mint) == (str(ALICE), str(MINT))
    assert (found.token.delegate, found.token.delegated) == (str(BOB), 3)
    assert found.token.close_authority == str(CAROL)
    assert not found.token.is_native


def test_absent_delegates_and_a_wrapped_account_are_told() -> None:
    """The key bytes of an absent one may still be there."""
    data = bytearray(token_account(is_native=2_039_280))
    data[72:76] = data[129:133] = bytes(4)
    found = authorities.read(account(TOKEN, bytes(data)))
    assert found is not None and found.token is not None
    assert (found.token.delegate, found.token.close_authority) == (None, None)
    assert found.token.is_native


def test_a_mint_names_its_authorities() -> None:
    """Who may make more, and who may freeze."""
    mint = Mint(mint_authority=ALICE, supply=1, decimals=0, is_initialized=True, freeze_authority=None)
    found = authorities.read(account(TOKEN, bytes(mint)))
    assert found is not None
    assert found.roles == {"mint authority": str(ALICE), "freeze authority": None}
    assert found.keeper is None


@pytest.mark.parametrize(
    ("owner", "data"),
    [
        (STAKE, (2).to_bytes(4, "little") + bytes(8) + bytes(BOB) + bytes(ALICE) + bytes(124)),
        (SYSTEM_PROGRAM, (1).to_bytes(4, "little") * 2 + bytes(ALICE) + bytes(40)),
        (LOADER, (1).to_bytes(4, "little") + b"\x01" + bytes(ALICE) + bytes(100)),
        (LOADER, (3).to_bytes(4, "little") + bytes(8) + b"\x01" + bytes(ALICE) + bytes(100)),
        (TABLES, (1).to_bytes(4, "little") + bytes(17) + b"\x01" + bytes(ALICE) + bytes(2)),
    ],
    ids=["stake", "nonce", "buffer", "program", "lookup table"],
)
def test_accounts_that_keep_lamports_name_who_can_take_them(owner: str, data: bytes) -> None:
    """The withdrawer of a stake, the authority of a nonce, buffer, program or table."""
    found = authorities.read(account(owner, data))
    assert found is not None
    assert found.keeper == str(ALICE)


def test_what_does_not_exist_is_controlled_by_nobody() -> None:
    """Closed accounts have no lamports."""
    assert authorities.read(None) is None
    assert authorities.read(account(TOKEN, token_account(), lamports=0)) is None


@given(owner=st.sampled_from([TOKEN, TOKEN_2022, STAKE, LOADER, TABLES, SYSTEM_PROGRAM]), data=st.binary(max_size=300))
def test_no_bytes_raise(owner: str, data: bytes) -> None:
    """An account may hold anything."""
    found = authorities.read(account(owner, data))
    assert found is None or found.kind
