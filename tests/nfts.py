"""NFTs on the local chain: mints without decimals, with the metadata that Metaplex would have written beside them."""

from __future__ import annotations

import base64

from solders.pubkey import Pubkey

from chain.decode import metadata
from chain.tx.instructions import TOKEN_PROGRAM
from tests.local_chain import LocalChain
from tests.tokens import give_tokens, new_mint


def metadata_bytes(mint: str, collection: str | None, *, verified: bool = True) -> bytes:
    """The data of a metadata account, as long as real ones are."""
    texts = b"".join(len(text).to_bytes(4, "little") + text for text in (b"name", b"symbol", b"uri"))
    named = b"\0" if collection is None else b"\1" + bytes([verified]) + bytes(Pubkey.from_string(collection))
    head = b"\4" + bytes(32) + bytes(Pubkey.from_string(mint)) + texts + bytes(2)
    return (head + b"\0" + b"\1\1" + b"\1\xff" + b"\1\0" + named).ljust(607, b"\0")


def new_nft(
    chain: LocalChain,
    owner: str,
    collection: str | None = None,
    *,
    verified: bool = True,
    has_metadata: bool = True,
    program: str = TOKEN_PROGRAM,
) -> tuple[str, str]:
    """An NFT of the owner; its mint and the token account that holds it."""
    mint = new_mint(chain, decimals=0, program=program)
    if has_metadata:
        data = base64.b64encode(metadata_bytes(mint, collection, verified=verified)).decode()
        chain.set_account(metadata.metadata_address(mint), lamports=5_115_600, owner=metadata.PROGRAM, data=data)
    return mint, give_tokens(chain, owner, mint, 1, program=program)
