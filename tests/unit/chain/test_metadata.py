"""Metaplex metadata: recorded accounts, and whatever else may lie at their address."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.decode.metadata import PROGRAM, Collection, collection_of, metadata_address

ACCOUNTS = Path(__file__).parents[2] / "recordings" / "accounts"
RECORDED = sorted(ACCOUNTS.glob("metadata-*.json"))


def read(path: Path) -> tuple[dict[str, Any], bytes]:
    account = json.loads(path.read_text())
    return account, base64.b64decode(account["value"]["data"][0])


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_account_is_at_its_mints_address_and_names_its_collection(path: Path) -> None:
    account, data = read(path)
    mint, named = account["expected"]["mint"], account["expected"].get("collection")

    assert metadata_address(mint) == account["pubkey"]
    expected = None if named is None else Collection(named["key"], named["verified"])
    assert collection_of(mint, account["value"]["owner"], data) == expected


def test_metadata_of_another_mint_or_owner_names_nothing() -> None:
    account, data = read(ACCOUNTS / "metadata-nft-verified-collection.json")
    mint = account["expected"]["mint"]

    assert collection_of(mint, PROGRAM, data) is not None
    assert collection_of(account["pubkey"], PROGRAM, data) is None
    assert collection_of(mint, "1" * 32, data) is None


def test_metadata_that_ends_early_names_nothing_else() -> None:
    account, data = read(ACCOUNTS / "metadata-nft-verified-collection.json")
    mint = account["expected"]["mint"]

    cut = {collection_of(mint, PROGRAM, data[:size]) for size in range(len(data))}

    assert cut == {None, collection_of(mint, PROGRAM, data)}


@given(st.sampled_from(RECORDED), st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=8))
def test_no_bytes_raise(path: Path, changes: list[tuple[int, int]]) -> None:
    account, recorded = read(path)
    data = bytearray(recorded)
    for place, byte in changes:
        data[place % len(data)] = byte

    found = collection_of(account["expected"]["mint"], PROGRAM, bytes(data))

    assert found is None or isinstance(found.verified, bool)
