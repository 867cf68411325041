"""What the chain (or a clock, a caller, a person) said, in the one shape that filters, templates and the API see.

An event has a key, the three texts that identify it for ever (contract, section 4), and fields, which are plain JSON.
The key never holds what another node could see differently: a transaction is known by its signature, not by its slot.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from chain.decode.balances import TokenDelta
from chain.decode.metadata import Collection
from chain.types import AccountSample

JSON_INTEGER_MIN = -(2**63)
JSON_INTEGER_MAX = 2**64 - 1
# Nothing that a chain says of itself is nested so deep; what stores events takes a little more.
MAX_DEPTH = 200
TOO_DEEP = "(nested too deep)"


class EventKey(msgspec.Struct, frozen=True, gc=False):
    """The parts that, after the workflow's id, are hashed into an execution id."""

    slot: str
    account: str
    index: str


class Event(msgspec.Struct, frozen=True):
    """One thing that happened. `fields` hold JSON values only; integers above 64 bits are decimal strings."""

    type: str
    key: EventKey
    slot: int | None
    signature: str | None
    account: str | None
    fields: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The event as stored and shown: the four fields that every event has, then its own."""
        return {
            "type": self.type,
            "slot": self.slot,
            "signature": self.signature,
            "account": self.account,
            **self.fields,
        }


def state_event(
    trigger_type: str,
    address: str,
    previous: AccountSample,
    current: AccountSample,
    *,
    catch_up: bool = False,
) -> Event:
    """A transition of an account's recorded state (`balance_change`, `account_change`, `program_account_change`).

    The key's slot is that of the transition as recorded, so the caller passes samples that came out of the state row's
    compare-and-set, never two notifications.
    """
    return Event(
        type=trigger_type,
        key=EventKey(str(current.slot), address, "0"),
        slot=current.slot,
        signature=None,
        account=address,
        fields={
            "lamports": current.lamports,
            "previous_lamports": previous.lamports,
            "lamports_delta": current.lamports - previous.lamports,
            "owner": current.owner,
            "previous_owner": previous.owner,
            "data_base64": None if current.data is None else base64.b64encode(current.data).decode(),
            "data_changed": current.data_hash != previous.data_hash,
            "catch_up": catch_up,
        },
    )


def log_event(
    address: str,
    signature: str,
    slot: int,
    index: str,
    *,
    logs: Sequence[str],
    logs_truncated: bool,
    name: str | None = None,
    data: Mapping[str, Any] | None = None,
    line: str | None = None,
    error: Any = None,
) -> Event:
    """A line that a program wrote, or an event it emitted. `index` is `log.<n>` or `ev.<hash>.<n>`."""
    return Event(
        type="program_log",
        key=EventKey("", f"{address}:{signature}", index),
        slot=slot,
        signature=signature,
        account=address,
        fields={
            "program_id": address,
            "line": line,
            "logs": list(logs),
            "logs_truncated": logs_truncated,
            "name": name,
            "data": None if data is None else _storable(dict(data)),
            "error": _storable(error),
        },
    )


def receipt_event(
    trigger_type: str, signature: str, slot: int, received: TokenDelta, collection: Collection | None = None
) -> Event:
    """Tokens that arrived at a token account (`token_receipt`), or an NFT (`nft_receipt`), whose `collection` is what
    its metadata names."""
    fields: dict[str, Any] = {
        "wallet": received.owner,
        "token_account": received.account,
        "mint": received.mint,
        "decimals": received.decimals,
        "amount": received.post,
        "amount_delta": received.amount,
    }
    if trigger_type == "nft_receipt":
        fields["collection"] = None if collection is None else collection.address
        fields["collection_verified"] = collection is not None and collection.verified
    key = EventKey("", f"{received.account}:{signature}", "0")
    return Event(trigger_type, key, slot, signature, received.account, fields)


def status_event(
    address: str | None, signature: str, slot: int, *, error: Any, fee_lamports: int, accounts: Sequence[str]
) -> Event:
    """A transaction ended; `address` is None where it is watched by its signature."""
    return Event(
        type="transaction_status",
        key=EventKey("", f"{address or ''}:{signature}", "0"),
        slot=slot,
        signature=signature,
        account=address,
        fields={
            "success": error is None,
            "error": _storable(error),
            "fee_lamports": fee_lamports,
            "accounts": list(accounts),
        },
    )


def manual_event(key: str, data: Mapping[str, Any]) -> Event:
    """A run asked for by a person or a program; `key` is the idempotency key, or random where none was given."""
    return Event(
        type="manual",
        key=EventKey(key, "manual", "0"),
        slot=None,
        signature=None,
        account=None,
        fields={"data": _storable(dict(data))},
    )


def schedule_event(due_at: datetime, missed: int) -> Event:
    """A due time of a schedule (whole seconds), whenever it is run; `missed` earlier ones run with it as one."""
    at = due_at.astimezone(UTC)
    return Event(
        type="schedule",
        key=EventKey(str(int(at.timestamp())), "schedule", "0"),
        slot=None,
        signature=None,
        account=None,
        fields={"due_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "missed": missed},
    )


def webhook_event(message_id: str, headers: Mapping[str, str], body: Any) -> Event:
    """A message that a sender has proven to be theirs; `body` is JSON whose integers have at most 64 bits."""
    return Event(
        type="webhook",
        key=EventKey(message_id, "webhook", "0"),
        slot=None,
        signature=None,
        account=None,
        fields={"headers": dict(headers), "body": body},
    )


def _storable(value: Any, depth: int = 0) -> Any:
    """JSON as it can be stored: integers above 64 bits as decimal strings at any depth, and no depth without end."""
    if depth > MAX_DEPTH:
        return TOO_DEEP
    if isinstance(value, dict):
        return {key: _storable(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner, depth + 1) for inner in value]
    exceeds = type(value) is int and not JSON_INTEGER_MIN <= value <= JSON_INTEGER_MAX
    return str(value) if exceeds else value
