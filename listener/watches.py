"""Pure: which RPC subscription a trigger needs. A new trigger that needs one is one entry in each table here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from chain.types import Commitment

Kind = Literal["balance", "account", "logs"]

# Kinds whose events are transitions of AccountState rows; the others' events are transactions.
STATE_KINDS: frozenset[Kind] = frozenset({"balance", "account"})


@dataclass(frozen=True, slots=True)
class Watch:
    """One RPC subscription: what it watches and at which commitment. Equal watches are shared.

    `digest` is the identity of the row that remembers it; it depends on nothing but the other fields.
    """

    kind: Kind
    address: str
    commitment: Commitment
    digest: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        identity = orjson.dumps([self.kind, self.params, self.commitment])
        object.__setattr__(self, "digest", hashlib.sha256(identity).hexdigest())

    @property
    def is_state(self) -> bool:
        """Whether its events are transitions of a state row."""
        return self.kind in STATE_KINDS

    @property
    def method(self) -> str:
        """The PubSub method that opens it."""
        return METHODS[self.kind].subscribe

    @property
    def params(self) -> list[Any]:
        """The parameters of that method."""
        return METHODS[self.kind].params(self.address, self.commitment)


@dataclass(frozen=True, slots=True)
class Methods:
    subscribe: str
    unsubscribe: str
    params: Callable[[str, Commitment], list[Any]]


def _balance_params(address: str, commitment: Commitment) -> list[Any]:
    # No data: a balance costs the same to watch on an account of 10 MB.
    config = {"encoding": "base64", "commitment": commitment, "dataSlice": {"offset": 0, "length": 0}}
    return [address, config]


def _account_params(address: str, commitment: Commitment) -> list[Any]:
    return [address, {"encoding": "base64", "commitment": commitment}]


def _logs_params(address: str, commitment: Commitment) -> list[Any]:
    return [{"mentions": [address]}, {"commitment": commitment}]


METHODS: Mapping[Kind, Methods] = {
    "balance": Methods("accountSubscribe", "accountUnsubscribe", _balance_params),
    "account": Methods("accountSubscribe", "accountUnsubscribe", _account_params),
    "logs": Methods("logsSubscribe", "logsUnsubscribe", _logs_params),
}

# Trigger type -> the kind of its watch and the trigger's key that holds the address.
WATCHED_BY: Mapping[str, tuple[Kind, str]] = {
    "balance_change": ("balance", "address"),
    "account_change": ("account", "address"),
    "program_log": ("logs", "program_id"),
}


def watch_of(trigger_type: str, trigger: Any, commitment: Commitment) -> Watch | None:
    """The watch that a parsed trigger needs; None for triggers that the chain does not set off."""
    found = WATCHED_BY.get(trigger_type)
    if found is None:
        return None
    kind, key = found
    return Watch(kind, getattr(trigger, key), commitment)


def triggers_of(kind: Kind) -> list[tuple[str, str]]:
    """The trigger types that share watches of a kind, each with the key that holds its address."""
    return [(trigger_type, key) for trigger_type, (of_kind, key) in WATCHED_BY.items() if of_kind == kind]
