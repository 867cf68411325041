"""Bytes of an account in the store."""

from __future__ import annotations

import struct

from solders.account import Account
from solders.pubkey import Pubkey

_HEADER = struct.Struct("<QQ?32s")


def encode_account(account: Account) -> bytes:
    """Lamports, rent epoch, executable, owner, data."""
    header = _HEADER.pack(account.lamports, account.rent_epoch, account.executable, bytes(account.owner))
    return header + account.data


def decode_account(stored: bytes) -> Account:
    """Inverse of `encode_account`."""
    lamports, rent_epoch, executable, owner = _HEADER.unpack_from(stored)
    return Account(lamports, stored[_HEADER.size :], Pubkey(owner), executable, rent_epoch)
