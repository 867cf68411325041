"""One request as a method sees it: its parameters, checked on the way out, and the node that answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey
from solders.signature import Signature

from chain.local.blocks import Block
from chain.local.encoding.accounts import AccountEncoding
from chain.local.errors import invalid_params, min_context_slot_not_reached
from chain.local.ledger import Ledger
from chain.local.view import View
from chain.types import Commitment

API_VERSION = "3.0.6"
COMMITMENT_NAMES: dict[str, Commitment] = {
    "processed": "processed",
    "confirmed": "confirmed",
    "finalized": "finalized",
    "recent": "processed",
    "single": "confirmed",
    "singleGossip": "confirmed",
    "root": "finalized",
    "max": "finalized",
}


@dataclass(frozen=True, slots=True)
class Call:
    """The node's view and the request's positional parameters."""

    view: View
    params: list[Any]
    never_land: bool = False
    """A scripted fault: a transaction sent by this call is accepted and thrown away."""

    @property
    def ledger(self) -> Ledger:
        """The chain behind the view."""
        return self.view.ledger

    def optional(self, index: int) -> Any:
        """A parameter that may be left out or null."""
        return self.params[index] if index < len(self.params) else None

    def text(self, index: int) -> str:
        """A string."""
        value = self.optional(index)
        if not isinstance(value, str):
            raise invalid_params("Invalid params: invalid type, expected a string.")
        return value

    def integer(self, index: int, default: int | None = None) -> int:
        """An unsigned 64-bit integer."""
        value = self.optional(index)
        if value is None and default is not None:
            return default
        return checked_u64(value)

    def pubkey(self, index: int) -> Pubkey:
        """An address."""
        return parse_pubkey(self.text(index))

    def config(self, index: int) -> Config:
        """The config object, which may be left out."""
        value = self.optional(index)
        if value is None:
            return Config(self.view, {})
        if isinstance(value, str):  # An old form of some methods: the encoding alone.
            return Config(self.view, {"encoding": value})
        if not isinstance(value, dict):
            raise invalid_params("Invalid params: invalid type, expected a config object.")
        return Config(self.view, value)


@dataclass(frozen=True, slots=True)
class Config:
    """A config object: commitment, encoding and the rest."""

    view: View
    values: dict[str, Any]

    def get(self, name: str) -> Any:
        """A value, or None."""
        return self.values.get(name)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean."""
        value = self.values.get(name)
        return default if value is None else bool(value)

    def commitment(self, name: str = "commitment") -> Commitment:
        """The commitment asked for; `finalized` where none is."""
        asked = self.values.get(name)
        if asked is None:
            return "finalized"
        try:
            return COMMITMENT_NAMES[asked]
        except (KeyError, TypeError):
            raise invalid_params(
                f"Invalid params: unknown variant `{asked}`, expected one of `processed`, `confirmed`, `finalized`."
            ) from None

    def confirmed_at_least(self) -> Commitment:
        """The commitment, for methods that read blocks, which Solana refuses to do at `processed`."""
        commitment = self.commitment()
        if commitment == "processed":
            raise invalid_params("Method does not support commitment below `confirmed`")
        return commitment

    def bank(self, commitment_name: str = "commitment") -> Block:
        """The bank of the asked commitment; -32016 where it is older than `minContextSlot`."""
        bank = self.view.bank(self.commitment(commitment_name))
        min_context_slot = self.values.get("minContextSlot")
        if min_context_slot is not None and bank.slot < checked_u64(min_context_slot):
            raise min_context_slot_not_reached(bank.slot)
        return bank

    def encoding(self, default: str) -> str:
        """The name of the asked encoding."""
        value = self.values.get("encoding")
        if value is None:
            return default
        if not isinstance(value, str):
            raise invalid_params("Invalid params: encoding must be a string.")
        return value

    def account_encoding(self, default: str) -> AccountEncoding:
        """Encoding and `dataSlice` of account data."""
        data_slice = self.values.get("dataSlice")
        if data_slice is None:
            return AccountEncoding(self.encoding(default))
        if not isinstance(data_slice, dict):
            raise invalid_params("Invalid params: dataSlice must have an offset and a length.")
        offset, length = checked_u64(data_slice.get("offset")), checked_u64(data_slice.get("length"))
        return AccountEncoding(self.encoding(default), (offset, length))


Method = Callable[[Call], Any]


def checked_u64(value: Any) -> int:
    """The value where it is an unsigned 64-bit integer; -32602 otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        raise invalid_params("Invalid params: invalid value, expected u64.")
    return value


def parse_pubkey(text: Any) -> Pubkey:
    """An address from base58; -32602 in Solana's words otherwise."""
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise invalid_params(
            "Invalid param: WrongSize" if "size" in str(error).lower() else "Invalid param: Invalid"
        ) from None
    except TypeError:
        raise invalid_params("Invalid params: invalid type, expected a string.") from None


def parse_signature(text: Any) -> str:
    """A signature's base58 text, checked."""
    try:
        return str(Signature.from_string(text))
    except (ValueError, TypeError):
        raise invalid_params("Invalid param: Invalid") from None


def with_context(bank: Block, value: Any) -> dict[str, Any]:
    """`RpcResponse`: the value and the bank that it was read from."""
    return {"context": {"apiVersion": API_VERSION, "slot": bank.slot}, "value": value}
