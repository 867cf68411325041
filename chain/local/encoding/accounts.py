"""Accounts on the wire: base58, base64, base64+zstd and jsonParsed, whole or a slice."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import base58
import zstandard
from solders.account import Account
from solders.pubkey import Pubkey

from chain.local.encoding.parsed_accounts import parse_account
from chain.local.errors import INVALID_REQUEST, RpcError, invalid_params
from chain.local.transactions import ReadAccount

RENT_EXEMPT_EPOCH = 2**64 - 1
_MAX_BASE58_BYTES = 128
_ENCODINGS = ("binary", "base58", "base64", "base64+zstd", "jsonParsed")
_zstd = zstandard.ZstdCompressor(level=1)


@dataclass(frozen=True, slots=True)
class AccountEncoding:
    """How a client wants account data. `data_slice` is (offset, length) in bytes."""

    name: str
    data_slice: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.name not in _ENCODINGS:
            raise invalid_params(f"Invalid params: unknown variant `{self.name}`, expected one of {_ENCODINGS}.")


def encode_account(address: Pubkey, account: Account, encoding: AccountEncoding, read: ReadAccount) -> dict[str, Any]:
    """`UiAccount`. `read` finds the mints that parsed token accounts need."""
    return {
        "lamports": account.lamports,
        "data": _encode_data(address, account, encoding, read),
        "owner": str(account.owner),
        "executable": account.executable,
        "rentEpoch": RENT_EXEMPT_EPOCH,
        "space": len(account.data),
    }


def require_base58_fits(account: Account, encoding: AccountEncoding) -> None:
    """-32600 where base58 is asked for and the data is too long for it. Notifications, which cannot fail, say so."""
    if encoding.name in ("base58", "binary") and len(_sliced(account.data, encoding)) > _MAX_BASE58_BYTES:
        raise RpcError(
            INVALID_REQUEST,
            "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.",
        )


def _sliced(data: bytes, encoding: AccountEncoding) -> bytes:
    if encoding.data_slice is None:
        return data
    offset, length = encoding.data_slice
    return data[offset : offset + length]


def _encode_data(address: Pubkey, account: Account, encoding: AccountEncoding, read: ReadAccount) -> Any:
    if encoding.name == "jsonParsed":
        parsed = parse_account(address, account, read)
        if parsed is not None:
            return parsed
    data = _sliced(account.data, encoding)
    if encoding.name in ("base58", "binary"):
        fits = len(data) <= _MAX_BASE58_BYTES
        text = base58.b58encode(data).decode() if fits else "error: data too large for bs58 encoding"
        return text if encoding.name == "binary" else [text, "base58"]
    if encoding.name == "base64+zstd":
        return [base64.b64encode(_zstd.compress(data)).decode(), "base64+zstd"]
    return [base64.b64encode(data).decode(), "base64"]
