"""The words that every part of SolFlow uses for Solana. Values only.

Those that come with every notification are msgspec's structs: made in a tenth of the time of a frozen dataclass.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

Commitment = Literal["processed", "confirmed", "finalized"]
COMMITMENTS: tuple[Commitment, ...] = ("processed", "confirmed", "finalized")

LAMPORTS_PER_SOL = 1_000_000_000
SYSTEM_PROGRAM = "11111111111111111111111111111111"
# Wrapped SOL, of the Token program and of Token-2022: a token account of it holds its amount in lamports.
WRAPPED_SOL = "So11111111111111111111111111111111111111112"
NATIVE_MINTS = frozenset({WRAPPED_SOL, "9pan9bMn5HatX4EJdBwg9VgCa7Uz5HL8N1m5D3NdXej9"})


class AccountSample(msgspec.Struct, frozen=True, gc=False):
    """An account as one answer or notification showed it: the state at `slot`, not the slot of its last change.

    An account that does not exist has 0 lamports, the system program as owner and no data. `data` is None where the
    subscription does not ask for it (balances); `data_hash` is then None too.
    """

    slot: int
    lamports: int
    owner: str = SYSTEM_PROGRAM
    data: bytes | None = None
    data_hash: bytes | None = None

    @classmethod
    def of(cls, slot: int, lamports: int, owner: str, data: bytes) -> AccountSample:
        """A sample with its data and the SHA-256 by which two states are compared."""
        return cls(slot, lamports, owner, data, hashlib.sha256(data).digest())


@dataclass(frozen=True, slots=True)
class Blockhash:
    """A recent blockhash and the last block height (not slot) at which transactions that carry it are accepted."""

    blockhash: str
    last_valid_block_height: int
    slot: int


@dataclass(frozen=True, slots=True)
class ChainPosition:
    """How far one node's chain is, in one answer: two answers could be those of two nodes behind one address."""

    slot: int
    block_height: int


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """Where a transaction that a node knows stands. `err` is the runtime's error as JSON, None for success."""

    slot: int
    err: Any
    confirmation_status: Commitment


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """What one endpoint knew at `slot`: a status for each signature asked about, None for "never heard of it".

    A None proves nothing by itself: it counts only where `slot` is late enough and history was searched.
    """

    endpoint: int
    slot: int
    statuses: tuple[SignatureStatus | None, ...]


@dataclass(frozen=True, slots=True)
class SignatureInfo:
    """One row of an address's history, newest first as the node lists them."""

    signature: str
    slot: int
    err: Any
    memo: str | None
    block_time: int | None
    confirmation_status: Commitment | None


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """A token account's balance before or after a transaction, in base units; `account_index` into its account keys."""

    account_index: int
    mint: str
    owner: str | None
    program_id: str | None
    amount: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a transaction would do at `slot`.

    Balances are aligned with the message's account keys (those of lookup tables last) and None where the node is too
    old to send them. `accounts` are the states afterwards of the addresses asked for, in their order, None for an
    account that would not exist; empty where the transaction would fail. `loaded_addresses` are (writable, readonly).
    """

    slot: int
    err: Any
    logs: tuple[str, ...]
    units_consumed: int
    fee_lamports: int | None
    pre_balances: tuple[int, ...] | None
    post_balances: tuple[int, ...] | None
    pre_token_balances: tuple[TokenBalance, ...] | None
    post_token_balances: tuple[TokenBalance, ...] | None
    accounts: tuple[AccountSample | None, ...]
    loaded_addresses: tuple[tuple[str, ...], tuple[str, ...]] | None


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Signed bytes, ready to be stored and then sent any number of times."""

    raw: bytes = field(repr=False)
    signature: str
    blockhash: str
    last_valid_block_height: int
