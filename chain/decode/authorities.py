"""Who controls an account, read from its data: the roles that a transaction could give away without moving a balance.

Layouts: spl-token-interface (Account, Mint; Token-2022 puts the account type at byte 165), StakeStateV2 and nonce
Versions (bincode), UpgradeableLoaderState, ProgramState of the address lookup table program. Unknown data is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from chain.types import SYSTEM_PROGRAM, AccountSample

TOKEN_PROGRAMS = frozenset(
    {"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"}
)
_STAKE = "Stake11111111111111111111111111111111111111"
_LOADER = "BPFLoaderUpgradeab1e11111111111111111111111"
_LOOKUP_TABLES = "AddressLookupTab1e1111111111111111111111111"

_TOKEN_ACCOUNT_BYTES, _MINT_BYTES, _NONCE_BYTES = 165, 82, 80
_TYPE_AT, _MINT_TYPE, _ACCOUNT_TYPE = 165, 1, 2


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """A token account's own fields; `delegated` are base units that the delegate may still move."""

    mint: str
    owner: str
    amount: int
    is_native: bool
    delegate: str | None
    delegated: int
    close_authority: str | None


@dataclass(frozen=True, slots=True)
class Authorities:
    """`keeper` can take the account's lamports out; `roles` are other powers by name. `token` for token accounts."""

    kind: str
    keeper: str | None = None
    roles: Mapping[str, str | None] = field(default_factory=dict)
    token: TokenAccount | None = None


def read(account: AccountSample | None) -> Authorities | None:
    """What the data says of control; None for an account that does not exist or whose program is none of these."""
    if account is None or not account.lamports or account.data is None:
        return None
    reader = _READERS.get(account.owner)
    return reader(account.data) if reader else None


def _of_token_program(data: bytes) -> Authorities | None:
    extended = len(data) > _TYPE_AT
    if len(data) == _TOKEN_ACCOUNT_BYTES or (extended and data[_TYPE_AT] == _ACCOUNT_TYPE):
        token = TokenAccount(
            mint=_key(data, 0),
            owner=_key(data, 32),
            amount=int.from_bytes(data[64:72], "little"),
            is_native=_u32(data, 109) == 1,
            delegate=_option(data, 72),
            delegated=int.from_bytes(data[121:129], "little"),
            close_authority=_option(data, 129),
        )
        return Authorities("token account", keeper=token.owner, token=token)
    if len(data) == _MINT_BYTES or (extended and data[_TYPE_AT] == _MINT_TYPE):
        return Authorities("mint", roles={"mint authority": _option(data, 0), "freeze authority": _option(data, 46)})
    return None


def _of_stake(data: bytes) -> Authorities | None:
    if len(data) < 76 or _u32(data, 0) not in (1, 2):
        return None
    return Authorities("stake account", keeper=_key(data, 44), roles={"staker": _key(data, 12)})


def _of_system(data: bytes) -> Authorities | None:
    if len(data) != _NONCE_BYTES or _u32(data, 4) != 1:
        return None
    return Authorities("nonce account", keeper=_key(data, 8))


def _of_loader(data: bytes) -> Authorities | None:
    tag = _u32(data, 0) if len(data) >= 4 else 0
    if tag == 1 and len(data) >= 37:
        return Authorities("program buffer", keeper=_flagged(data, 4))
    if tag == 3 and len(data) >= 45:
        return Authorities("program", keeper=_flagged(data, 12), roles={"upgrade authority": _flagged(data, 12)})
    return None


def _of_lookup_table(data: bytes) -> Authorities | None:
    if len(data) < 54 or _u32(data, 0) != 1:
        return None
    return Authorities("lookup table", keeper=_flagged(data, 21), roles={"authority": _flagged(data, 21)})


_READERS: Mapping[str, Callable[[bytes], Authorities | None]] = {
    **dict.fromkeys(TOKEN_PROGRAMS, _of_token_program),
    _STAKE: _of_stake,
    SYSTEM_PROGRAM: _of_system,
    _LOADER: _of_loader,
    _LOOKUP_TABLES: _of_lookup_table,
}


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _key(data: bytes, at: int) -> str:
    return str(Pubkey.from_bytes(data[at : at + 32]))


def _option(data: bytes, at: int) -> str | None:
    """SPL's COption: a flag of four bytes, then the key, whose bytes are there in either case."""
    return _key(data, at + 4) if _u32(data, at) == 1 else None


def _flagged(data: bytes, at: int) -> str | None:
    """Bincode's Option: a flag of one byte."""
    return _key(data, at + 1) if data[at] == 1 else None
