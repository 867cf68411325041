"""SPL Token and Token-2022 accounts as their bytes tell them."""

from __future__ import annotations

from dataclasses import dataclass

from solders.account import Account
from solders.pubkey import Pubkey

from chain.local.programs import TOKEN_PROGRAMS

MINT_SIZE = 82
TOKEN_ACCOUNT_SIZE = 165
EXTENSIONS_OFFSET = 166
_MINT_TYPE = 1
_ACCOUNT_TYPE = 2
_STATES = ("uninitialized", "initialized", "frozen")


@dataclass(frozen=True, slots=True)
class Mint:
    """A mint. `supply` in base units."""

    mint_authority: str | None
    supply: int
    decimals: int
    is_initialized: bool
    freeze_authority: str | None


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """A token account. Amounts in base units; `rent_exempt_reserve` in lamports, None unless it holds wrapped SOL."""

    mint: Pubkey
    owner: Pubkey
    amount: int
    delegate: str | None
    state: str
    rent_exempt_reserve: int | None
    delegated_amount: int
    close_authority: str | None


def read_token_account(account: Account | None) -> TokenAccount | None:
    """The token account in these bytes, or None for any other account."""
    if account is None or account.owner not in TOKEN_PROGRAMS or not is_token_account_data(account.data):
        return None
    data = account.data
    return TokenAccount(
        mint=Pubkey(data[:32]),
        owner=Pubkey(data[32:64]),
        amount=_u64(data, 64),
        delegate=_optional_key(data, 72),
        state=_STATES[data[108]],
        rent_exempt_reserve=_u64(data, 113) if data[109:113] == b"\x01\x00\x00\x00" else None,
        delegated_amount=_u64(data, 121),
        close_authority=_optional_key(data, 129),
    )


def is_token_account_data(data: bytes) -> bool:
    """Whether a token program's account with this data is an initialized token account."""
    if len(data) == TOKEN_ACCOUNT_SIZE:
        return data[108] in (1, 2)
    return len(data) > TOKEN_ACCOUNT_SIZE and data[TOKEN_ACCOUNT_SIZE] == _ACCOUNT_TYPE and data[108] in (1, 2)


def read_mint(account: Account | None) -> Mint | None:
    """The mint in these bytes, or None for any other account."""
    if account is None or account.owner not in TOKEN_PROGRAMS:
        return None
    data = account.data
    extended = len(data) > TOKEN_ACCOUNT_SIZE and data[TOKEN_ACCOUNT_SIZE] == _MINT_TYPE
    if not (len(data) == MINT_SIZE or extended) or not data[45]:
        return None
    return Mint(
        mint_authority=_optional_key(data, 0),
        supply=_u64(data, 36),
        decimals=data[44],
        is_initialized=bool(data[45]),
        freeze_authority=_optional_key(data, 46),
    )


def _u64(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 8], "little")


def _optional_key(data: bytes, offset: int) -> str | None:
    if data[offset : offset + 4] != b"\x01\x00\x00\x00":
        return None
    return str(Pubkey(data[offset + 4 : offset + 36]))
