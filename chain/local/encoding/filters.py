"""Filters of `getProgramAccounts` and `programSubscribe`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

import base58
from solders.account import Account

from chain.local.encoding.token_state import is_token_account_data
from chain.local.errors import invalid_params

AccountFilter = Callable[[Account], bool]
MAX_FILTERS = 4
_MAX_MEMCMP_BYTES = 128


def parse_filters(filters: Any) -> list[AccountFilter]:
    """The filters of a config; an account passes where it passes all. -32602 for one that is malformed."""
    if filters is None:
        return []
    if not isinstance(filters, list):
        raise invalid_params("Invalid params: filters must be a list.")
    if len(filters) > MAX_FILTERS:
        raise invalid_params(f"Too many filters provided; max {MAX_FILTERS}")
    return [_parse(item) for item in filters]


def passes(account: Account, filters: Sequence[AccountFilter]) -> bool:
    """Whether the account passes every filter."""
    return all(accepts(account) for accepts in filters)


def _parse(item: Any) -> AccountFilter:
    if item == "tokenAccountState" or (isinstance(item, dict) and "tokenAccountState" in item):
        return lambda account: is_token_account_data(account.data)
    if isinstance(item, dict) and isinstance(item.get("dataSize"), int):
        size: int = item["dataSize"]
        return lambda account: len(account.data) == size
    if isinstance(item, dict) and isinstance(item.get("memcmp"), dict):
        return _memcmp(item["memcmp"])
    raise invalid_params("Invalid params: unknown filter.")


def _memcmp(comparison: dict[str, Any]) -> AccountFilter:
    offset = comparison.get("offset")
    if not isinstance(offset, int) or offset < 0:
        raise invalid_params("Invalid params: memcmp needs an offset.")
    expected = _memcmp_bytes(comparison.get("bytes"), comparison.get("encoding"))
    if len(expected) > _MAX_MEMCMP_BYTES:
        raise invalid_params("Invalid param: DataTooLarge")
    return lambda account: account.data[offset : offset + len(expected)] == expected


def _memcmp_bytes(value: Any, encoding: Any) -> bytes:
    try:
        if isinstance(value, list):
            return bytes(value)
        if isinstance(value, str):
            return base64.b64decode(value, validate=True) if encoding == "base64" else base58.b58decode(value)
    except (ValueError, binascii.Error) as error:
        raise invalid_params(f"Invalid param: {error}") from None
    raise invalid_params("Invalid params: memcmp needs bytes.")
