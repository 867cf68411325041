"""Addresses that the local chain knows by name."""

from __future__ import annotations

from typing import Final

from solders.pubkey import Pubkey

SYSTEM: Final = Pubkey.default()
VOTE: Final = Pubkey.from_string("Vote111111111111111111111111111111111111111")
COMPUTE_BUDGET: Final = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
ADDRESS_LOOKUP_TABLE: Final = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
TOKEN: Final = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED_TOKEN: Final = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
MEMO_V1: Final = Pubkey.from_string("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo")
MEMO: Final = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
NATIVE_MINT: Final = Pubkey.from_string("So11111111111111111111111111111111111111112")
NATIVE_MINT_2022: Final = Pubkey.from_string("9pan9bMn5HatX4EJdBwg9VgCa7Uz5HL8N1m5D3NdXejP")

BUILTIN_PROGRAMS: Final = frozenset(
    {
        SYSTEM,
        VOTE,
        COMPUTE_BUDGET,
        Pubkey.from_string("BPFLoader1111111111111111111111111111111111"),
        Pubkey.from_string("BPFLoader2111111111111111111111111111111111"),
        Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111"),
        Pubkey.from_string("Ed25519SigVerify111111111111111111111111111"),
        Pubkey.from_string("KeccakSecp256k11111111111111111111111111111"),
    }
)
"""Programs that are part of the runtime: they are granted few compute units where the transaction sets no limit."""
TOKEN_PROGRAMS: Final = frozenset({TOKEN, TOKEN_2022})
MEMO_PROGRAMS: Final = frozenset({MEMO, MEMO_V1})
