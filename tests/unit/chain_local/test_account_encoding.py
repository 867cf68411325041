from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import base58
import pytest
import zstandard
from solders.account import Account
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.local.encoding.accounts import AccountEncoding, encode_account, require_base58_fits
from chain.local.encoding.amounts import amount_text, ui_token_amount
from chain.local.encoding.filters import parse_filters, passes
from chain.local.errors import RpcError
from chain.local.programs import ADDRESS_LOOKUP_TABLE, SYSTEM, TOKEN, TOKEN_2022

RECORDED_ACCOUNTS = Path(__file__).parents[2] / "recordings" / "accounts"
ADDRESS, MINT, OWNER = Keypair().pubkey(), Keypair().pubkey(), Keypair().pubkey()


def encoded(account: Account, name: str, data_slice: tuple[int, int] | None = None, **others: Account) -> Any:
    known = {Pubkey.from_string(address): other for address, other in others.items()}
    return encode_account(ADDRESS, account, AccountEncoding(name, data_slice), known.get)["data"]


def recorded(name: str) -> Account:
    value = json.loads((RECORDED_ACCOUNTS / name).read_text())["value"]
    return Account(value["lamports"], base64.b64decode(value["data"][0]), Pubkey.from_string(value["owner"]))


def mint(decimals: int) -> Account:
    return Account(1, bytes(36) + (5).to_bytes(8, "little") + bytes([decimals, 1]) + bytes(36), TOKEN)


def token_account(amount: int, *, native: bool = False) -> Account:
    head = bytes(MINT) + bytes(OWNER) + amount.to_bytes(8, "little") + bytes(36) + b"\x01"
    reserve = b"\x01\0\0\0" + (2_039_280).to_bytes(8, "little") if native else bytes(12)
    return Account(1, head + reserve + bytes(8) + bytes(36), TOKEN)


def test_every_encoding_holds_the_same_bytes() -> None:
    account = Account(1, b"some data", SYSTEM)
    assert base64.b64decode(encoded(account, "base64")[0]) == b"some data"
    assert base58.b58decode(encoded(account, "base58")[0]) == b"some data"
    packed = base64.b64decode(encoded(account, "base64+zstd")[0])
    assert zstandard.ZstdDecompressor().decompress(packed) == b"some data"


def test_without_an_encoding_the_data_is_a_bare_base58_text() -> None:
    assert encoded(Account(1, b"abc", SYSTEM), "binary") == base58.b58encode(b"abc").decode()


def test_a_slice_is_cut_and_the_space_is_still_the_whole() -> None:
    account = Account(1, b"0123456789", SYSTEM)
    shown = encode_account(ADDRESS, account, AccountEncoding("base64", (2, 3)), lambda address: None)
    assert (base64.b64decode(shown["data"][0]), shown["space"]) == (b"234", 10)


def test_base58_refuses_more_than_128_bytes_unless_a_slice_makes_it_fit() -> None:
    account = Account(1, bytes(129), SYSTEM)
    with pytest.raises(RpcError, match="less than 128 bytes"):
        require_base58_fits(account, AccountEncoding("base58"))
    require_base58_fits(account, AccountEncoding("base58", (0, 128)))


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(RpcError, match="unknown variant `hex`"):
        AccountEncoding("hex")


def test_a_token_account_is_parsed_with_the_decimals_of_its_mint() -> None:
    info = encoded(token_account(1_500), "jsonParsed", **{str(MINT): mint(3)})["parsed"]["info"]
    assert info["tokenAmount"] == {"amount": "1500", "decimals": 3, "uiAmount": 1.5, "uiAmountString": "1.5"}
    assert (info["mint"], info["owner"], info["state"], info["isNative"]) == (
        str(MINT),
        str(OWNER),
        "initialized",
        False,
    )


def test_wrapped_sol_shows_its_rent_reserve() -> None:
    info = encoded(token_account(7, native=True), "jsonParsed", **{str(MINT): mint(9)})["parsed"]["info"]
    assert info["isNative"] is True
    assert info["rentExemptReserve"]["amount"] == "2039280"


def test_a_recorded_mint_is_parsed() -> None:
    shown = encoded(recorded("mint-spl-jitosol.json"), "jsonParsed")
    assert shown["program"] == "spl-token"
    assert shown["parsed"]["type"] == "mint"
    assert shown["parsed"]["info"]["decimals"] == 9


def test_a_recorded_token_2022_mint_is_parsed_with_its_extensions() -> None:
    shown = encoded(recorded("mint-token2022-pyusd-extensions.json"), "jsonParsed")
    extensions = {item["extension"]: item.get("state") for item in shown["parsed"]["info"]["extensions"]}
    assert shown["program"] == "spl-token-2022"
    assert extensions["tokenMetadata"]["symbol"] == "PYUSD"
    assert extensions["transferFeeConfig"]["newerTransferFee"]["transferFeeBasisPoints"] == 0
    assert extensions["permanentDelegate"]["delegate"] == "2apBGMsS6ti9RyF5TwQTDswXBWskiJP2LD4cUEDqYJjk"


def test_a_recorded_lookup_table_is_parsed() -> None:
    account = recorded("lookup-table-jup6-dlmm-debridge-0.json")
    info = encoded(account, "jsonParsed")["parsed"]["info"]
    assert account.owner == ADDRESS_LOOKUP_TABLE
    assert len(info["addresses"]) == (len(account.data) - 56) // 32
    assert info["deactivationSlot"] == str(2**64 - 1)


def test_data_that_no_parser_knows_comes_as_base64() -> None:
    assert encoded(Account(1, b"x", OWNER), "jsonParsed") == ["eA==", "base64"]
    assert encoded(Account(1, bytes(170), TOKEN_2022), "jsonParsed")[1] == "base64"


@pytest.mark.parametrize(
    ("amount", "decimals", "text"),
    [
        (0, 0, "0"),
        (0, 9, "0"),
        (1, 9, "0.000000001"),
        (1_500_000, 6, "1.5"),
        (10, 0, "10"),
        (2**64 - 1, 2, "184467440737095516.15"),
    ],
)
def test_amounts_are_written_without_trailing_zeros(amount: int, decimals: int, text: str) -> None:
    assert amount_text(amount, decimals) == text
    assert ui_token_amount(amount, decimals)["uiAmountString"] == text


def test_filters_must_all_pass() -> None:
    filters = parse_filters([{"dataSize": 165}, {"memcmp": {"offset": 32, "bytes": str(OWNER)}}])
    assert passes(token_account(1), filters)
    assert not passes(Account(1, bytes(165), TOKEN), filters)
    assert not passes(Account(1, bytes(10), TOKEN), filters)


def test_memcmp_takes_base64_and_bytes_too() -> None:
    text = base64.b64encode(bytes(OWNER)).decode()
    for comparison in ({"bytes": text, "encoding": "base64"}, {"bytes": list(bytes(OWNER))}):
        assert passes(token_account(1), parse_filters([{"memcmp": {"offset": 32, **comparison}}]))


@pytest.mark.parametrize("bad", ["all", [{"size": 1}], [{"memcmp": {"bytes": "1"}}], [{"dataSize": 1}] * 5])
def test_malformed_filters_are_refused(bad: Any) -> None:
    with pytest.raises(RpcError):
        parse_filters(bad)
