"""What each trigger's events hold: for the builder's pickers and the filter's type checks. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FieldKind = Literal["integer", "text", "address", "signature", "boolean", "base64", "list", "object", "any"]
FieldUnit = Literal["lamports", "base_units", ""]


@dataclass(frozen=True, slots=True)
class EventField:
    """One field. `open` ones hold more below them (`event.data.amount`), which only the event itself knows."""

    path: str
    kind: FieldKind
    about: str
    unit: FieldUnit = ""
    nullable: bool = False

    @property
    def open(self) -> bool:
        return self.kind in ("list", "object", "any")


def _field(name: str, kind: FieldKind, about: str, *, unit: FieldUnit = "", nullable: bool = False) -> EventField:
    return EventField(f"event.{name}", kind, about, unit, nullable)


_TYPE = _field("type", "text", "The trigger's type")
_CHAIN = (
    _TYPE,
    _field("slot", "integer", "Slot in which it was seen", nullable=True),
    _field("signature", "signature", "Transaction, where the chain names one", nullable=True),
    _field("account", "address", "Account that was watched", nullable=True),
)
_STATE = (
    *_CHAIN,
    _field("lamports", "integer", "Balance now", unit="lamports"),
    _field("previous_lamports", "integer", "Balance before", unit="lamports"),
    _field("lamports_delta", "integer", "Balance now minus before", unit="lamports"),
    _field("owner", "address", "Program that owns the account now"),
    _field("previous_owner", "address", "Program that owned it before"),
    _field("data_base64", "base64", "Data now; null where only the balance is watched", nullable=True),
    _field("data_changed", "boolean", "Whether the data is other than before"),
    _field("catch_up", "boolean", "Whether changes were missed and are seen as one"),
)
_TOKEN = (
    *_CHAIN,
    _field("wallet", "address", "Owner of the token account"),
    _field("token_account", "address", "Account that received"),
    _field("mint", "address", "Token"),
    _field("decimals", "integer", "Decimal places of the mint"),
    _field("amount", "integer", "Balance now", unit="base_units"),
    _field("amount_delta", "integer", "What arrived", unit="base_units"),
)

EVENT_FIELDS: Mapping[str, tuple[EventField, ...]] = {
    "balance_change": _STATE,
    "account_change": _STATE,
    "program_account_change": _STATE,
    "token_receipt": _TOKEN,
    "nft_receipt": (
        *_TOKEN,
        _field("collection", "address", "Collection that its metadata names", nullable=True),
        _field("collection_verified", "boolean", "Whether that collection has verified it"),
    ),
    "program_log": (
        *_CHAIN,
        _field("program_id", "address", "Program that wrote the log"),
        _field("line", "text", "Line that matched; null for an IDL event", nullable=True),
        _field("logs", "list", "All log lines of the transaction"),
        _field("logs_truncated", "boolean", "Whether Solana cut the logs"),
        _field("name", "text", "Name of the IDL event", nullable=True),
        _field("data", "object", "Fields of the IDL event", nullable=True),
        _field("error", "any", "Why the transaction failed; null when it succeeded", nullable=True),
    ),
    "transaction_status": (
        *_CHAIN,
        _field("success", "boolean", "Whether it succeeded"),
        _field("error", "any", "Why it failed; null when it succeeded", nullable=True),
        _field("fee_lamports", "integer", "Fee that it paid", unit="lamports"),
        _field("accounts", "list", "Accounts that it names"),
    ),
    "schedule": (
        *_CHAIN,
        _field("due_at", "text", "When it was due, ISO 8601 in UTC"),
        _field("missed", "integer", "Earlier due times that passed unrun and are run with it as one"),
    ),
    "webhook": (
        *_CHAIN,
        _field("headers", "object", "Headers of the request, without credentials"),
        _field("body", "any", "Body of the request: its JSON, else its text; null when there is none", nullable=True),
    ),
    "manual": (*_CHAIN, _field("data", "object", "What the caller gave")),
}


def field_named(trigger_type: str, path: str) -> EventField | None:
    """The field that every event of this trigger has at exactly this path, if it is one of those known beforehand."""
    return _BY_PATH[trigger_type].get(path)


_BY_PATH = {kind: {field.path: field for field in fields} for kind, fields in EVENT_FIELDS.items()}
