"""Metaplex Token Metadata: the account beside a mint that names its collection.

Layout (borsh) of `Metadata`, key 4; old accounts end in zeros, which read as "none":

    u8 key, pubkey update_authority, pubkey mint, text name, text symbol, text uri, u16 seller_fee_basis_points,
    option<vec<(pubkey address, bool verified, u8 share)>> creators, bool primary_sale_happened, bool is_mutable,
    option<u8> edition_nonce, option<u8> token_standard, option<(bool verified, pubkey key)> collection, …

Source: `programs/token-metadata/program/src/state/metadata.rs` of
https://github.com/metaplex-foundation/mpl-token-metadata.
"""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from chain.decode.base import Reader, Unreadable, flag, pubkey, u8, u32

PROGRAM = "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s"

_PROGRAM = Pubkey.from_string(PROGRAM)
_METADATA_V1 = 4
_CREATOR_BYTES = 34


@dataclass(frozen=True, slots=True)
class Collection:
    """The collection that a mint's metadata names. Anybody may name one: it is a claim until `verified`, which only
    the collection's own authority can set."""

    address: str
    verified: bool


def metadata_address(mint: str) -> str:
    """Where the metadata of a mint is, if it has any. Raises ValueError for a text that is no address."""
    seeds = [b"metadata", bytes(_PROGRAM), bytes(Pubkey.from_string(mint))]
    return str(Pubkey.find_program_address(seeds, _PROGRAM)[0])


def collection_of(mint: str, owner: str, data: bytes) -> Collection | None:
    """The collection in the data of the account at `metadata_address(mint)`; None where it names none, or is none of
    this mint's metadata. Never raises for what the bytes are."""
    if owner != PROGRAM:
        return None
    try:
        return _collection(mint, Reader(data))
    except Unreadable:
        return None


def _collection(mint: str, reader: Reader) -> Collection | None:
    if u8(reader) != _METADATA_V1:
        return None
    reader.take(32)  # update_authority
    if pubkey(reader) != mint:
        return None
    for _ in range(3):  # name, symbol, uri
        reader.take(u32(reader))
    reader.take(2)  # seller_fee_basis_points
    if flag(reader):
        reader.take(u32(reader) * _CREATOR_BYTES)
    reader.take(2)  # primary_sale_happened, is_mutable
    for _ in range(2):  # edition_nonce, token_standard
        if flag(reader):
            reader.take(1)
    if not flag(reader):
        return None
    verified = flag(reader)
    return Collection(pubkey(reader), verified)
