"""What the chain remembers of a transaction that landed. Stored as MessagePack, so fields are only ever appended."""

from __future__ import annotations

from typing import Any

import msgspec


class TokenBalance(msgspec.Struct, array_like=True, frozen=True):
    """The token balance of one account of a transaction, in base units of its mint."""

    account_index: int
    mint: str
    owner: str
    program_id: str
    amount: int
    decimals: int


class InnerInstruction(msgspec.Struct, array_like=True, frozen=True):
    """An instruction that a program called. Indexes count in the record's `account_keys`."""

    program_id_index: int
    accounts: bytes
    data: bytes
    stack_height: int


class TransactionRecord(msgspec.Struct, array_like=True):
    """A landed transaction, failed or not: the bytes as sent and what they did. Lamports and token base units."""

    signature: str
    slot: int
    position: int
    block_time_s: int
    transaction: bytes
    account_keys: list[str]
    writable: list[bool]
    loaded_writable: int
    loaded_readonly: int
    error: Any
    fee_lamports: int
    compute_units: int
    logs: list[str]
    inner_instructions: list[list[InnerInstruction]]
    pre_balances: list[int]
    post_balances: list[int]
    pre_token_balances: list[TokenBalance]
    post_token_balances: list[TokenBalance]
    return_data: tuple[str, bytes] | None
    memo: str | None

    @property
    def static_keys(self) -> list[str]:
        """The keys in the message itself."""
        return self.account_keys[: len(self.account_keys) - self.loaded_writable - self.loaded_readonly]

    @property
    def loaded_addresses(self) -> tuple[list[str], list[str]]:
        """(writable, read-only) keys that came from address lookup tables; they follow the static ones."""
        static = len(self.static_keys)
        return self.account_keys[static : static + self.loaded_writable], self.account_keys[
            static + self.loaded_writable :
        ]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(TransactionRecord)


def encode_record(record: TransactionRecord) -> bytes:
    """The stored form of a record."""
    return _encoder.encode(record)


def decode_record(stored: bytes) -> TransactionRecord:
    """Inverse of `encode_record`; reads what older versions stored."""
    return _decoder.decode(stored)
