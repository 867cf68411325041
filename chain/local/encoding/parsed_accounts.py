"""jsonParsed accounts: tokens and mints with their extensions, nonces, lookup tables, sysvars that clients read."""

from __future__ import annotations

from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from chain.local.encoding.amounts import ui_token_amount
from chain.local.encoding.token_extensions import parse_extensions
from chain.local.encoding.token_state import Mint, TokenAccount, read_mint, read_token_account
from chain.local.programs import ADDRESS_LOOKUP_TABLE, SYSTEM, TOKEN
from chain.local.transactions import NONCE_ACCOUNT_SIZE, ReadAccount

_CLOCK = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
_RENT = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
_LOOKUP_TABLE_HEADER = 56


def parse_account(address: Pubkey, account: Account, read: ReadAccount) -> dict[str, Any] | None:
    """`ParsedAccount`, or None for data that no parser here knows (the answer is base64 then)."""
    parsed = _parse(address, account, read)
    if parsed is None:
        return None
    program, body = parsed
    return {"program": program, "parsed": body, "space": len(account.data)}


def _parse(address: Pubkey, account: Account, read: ReadAccount) -> tuple[str, Any] | None:
    if account.owner == SYSTEM and len(account.data) == NONCE_ACCOUNT_SIZE:
        return "nonce", _nonce(account.data)
    if account.owner == ADDRESS_LOOKUP_TABLE:
        return "address-lookup-table", _lookup_table(account.data)
    if address in (_CLOCK, _RENT):
        return "sysvar", _sysvar(address, account.data)
    token_program = "spl-token" if account.owner == TOKEN else "spl-token-2022"
    holding = read_token_account(account)
    if holding is not None:
        mint = read_mint(read(holding.mint))
        return None if mint is None else (token_program, _token_account(account, holding, mint.decimals))
    own_mint = read_mint(account)
    return None if own_mint is None else (token_program, _mint(account, own_mint))


def _with_extensions(info: dict[str, Any], data: bytes) -> dict[str, Any]:
    extensions = parse_extensions(data)
    return {**info, "extensions": extensions} if extensions else info


def _token_account(account: Account, holding: TokenAccount, decimals: int) -> dict[str, Any]:
    info: dict[str, Any] = {
        "isNative": holding.rent_exempt_reserve is not None,
        "mint": str(holding.mint),
        "owner": str(holding.owner),
        "state": holding.state,
        "tokenAmount": ui_token_amount(holding.amount, decimals),
    }
    if holding.delegate is not None:
        info["delegate"] = holding.delegate
        info["delegatedAmount"] = ui_token_amount(holding.delegated_amount, decimals)
    if holding.rent_exempt_reserve is not None:
        info["rentExemptReserve"] = ui_token_amount(holding.rent_exempt_reserve, decimals)
    if holding.close_authority is not None:
        info["closeAuthority"] = holding.close_authority
    return {"info": _with_extensions(info, account.data), "type": "account"}


def _mint(account: Account, mint: Mint) -> dict[str, Any]:
    info = {
        "mintAuthority": mint.mint_authority,
        "supply": str(mint.supply),
        "decimals": mint.decimals,
        "isInitialized": mint.is_initialized,
        "freezeAuthority": mint.freeze_authority,
    }
    return {"info": _with_extensions(info, account.data), "type": "mint"}


def _nonce(data: bytes) -> dict[str, Any]:
    if data[4:8] != b"\x01\x00\x00\x00":
        return {"type": "uninitialized"}
    info = {
        "authority": str(Pubkey(data[8:40])),
        "blockhash": str(Pubkey(data[40:72])),
        "feeCalculator": {"lamportsPerSignature": str(int.from_bytes(data[72:80], "little"))},
    }
    return {"info": info, "type": "initialized"}


def _lookup_table(data: bytes) -> dict[str, Any]:
    if data[:4] != b"\x01\x00\x00\x00" or len(data) < _LOOKUP_TABLE_HEADER:
        return {"type": "uninitialized"}
    info: dict[str, Any] = {
        "deactivationSlot": str(int.from_bytes(data[4:12], "little")),
        "lastExtendedSlot": str(int.from_bytes(data[12:20], "little")),
        "lastExtendedSlotStartIndex": data[20],
        "addresses": [
            str(Pubkey(data[offset : offset + 32])) for offset in range(_LOOKUP_TABLE_HEADER, len(data) - 31, 32)
        ],
    }
    if data[21]:
        info["authority"] = str(Pubkey(data[22:54]))
    return {"info": info, "type": "lookupTable"}


def _sysvar(address: Pubkey, data: bytes) -> dict[str, Any]:
    words = [int.from_bytes(data[offset : offset + 8], "little") for offset in range(0, len(data) - 7, 8)]
    if address == _CLOCK:
        names = ("slot", "epochStartTimestamp", "epoch", "leaderScheduleEpoch", "unixTimestamp")
        return {"info": dict(zip(names, words, strict=True)), "type": "clock"}
    # The exemption threshold is a float in the account; with rent abolished its only value is 1.
    rent = {"lamportsPerByteYear": str(words[0]), "exemptionThreshold": 1.0, "burnPercent": data[16]}
    return {"info": rent, "type": "rent"}
