"""Pure: which RPC subscriptions a trigger needs. A new trigger is one entry in `_NEEDS` and one in `NAMED_BY`.

How each kind is seen live, and read back where it was not:

    balance, account    accountSubscribe; the account is sampled (listener.sampling)
    program             programSubscribe with the trigger's filters; all chosen accounts are sampled (listener.programs)
    logs                logsSubscribe that mentions an address; getSignaturesForAddress. Log lines come with the notice;
                        whatever else a trigger asks of a transaction is fetched (listener.transactions)
    signature           signatureSubscribe; getSignatureStatuses
    token_accounts,     programSubscribe on one token program, of all accounts that a wallet owns there. No notification
    token_2022_accounts names the transaction, so the history of the account that changed is listed (listener.histories)

A receipt at a wallet's associated account needs no reading of the mint: its address differs by token program, a mint
belongs to one of them for ever, and the address under the other is one at which nothing can ever happen. So both are
watched, which costs a silent subscription and spares a fact that would have to be stored. An NFT may arrive at an
account that nobody can know beforehand: for them all accounts of the wallet are watched, under both programs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import base58
import orjson

from chain.tx.instructions import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, associated_token_address
from chain.types import Commitment

Kind = Literal["balance", "account", "program", "logs", "signature", "token_accounts", "token_2022_accounts"]

# Kinds whose events are transitions of AccountState rows; the others' events are transactions.
STATE_KINDS: frozenset[Kind] = frozenset({"balance", "account", "program"})
# Kinds that watch what a wallet (their address) owns under a token program.
TOKEN_PROGRAMS: Mapping[Kind, str] = {"token_accounts": TOKEN_PROGRAM, "token_2022_accounts": TOKEN_2022_PROGRAM}

# What RPC nodes take in one subscription. A filter more is applied here.
MOST_FILTERS = 4
TOKEN_ACCOUNT_BYTES = 165
TOKEN_OWNER_OFFSET = 32


@dataclass(frozen=True, slots=True)
class Watch:
    """One RPC subscription: what it watches and at which commitment. Equal watches are shared.

    `memcmp` (offset, base58) and `data_size` choose among a program's accounts. `digest` is the identity of the row
    that remembers the watch; it depends on nothing but the other fields.
    """

    kind: Kind
    address: str
    commitment: Commitment
    memcmp: tuple[tuple[int, str], ...] = ()
    data_size: int | None = None
    digest: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # What is chosen here and not by the node is part of the identity too: it decides which rows there are.
        hidden = self.filters[MOST_FILTERS:]
        identity = orjson.dumps([self.kind, self.params, self.commitment, *([hidden] if hidden else [])])
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
        return METHODS[self.kind].params(self)

    @property
    def filters(self) -> list[dict[str, Any]]:
        """The filters of a program's accounts, in the RPC's words; of them a node takes MOST_FILTERS."""
        size = [] if self.data_size is None else [{"dataSize": self.data_size}]
        return [*size, *({"memcmp": {"offset": offset, "bytes": text}} for offset, text in self.memcmp)]

    def chooses(self, owner: str, data: bytes) -> bool:
        """Whether an account is one of the program's that this watch is about."""
        if owner != self.address or (self.data_size is not None and len(data) != self.data_size):
            return False
        return all(data.startswith(base58.b58decode(text), offset) for offset, text in self.memcmp)


@dataclass(frozen=True, slots=True)
class Methods:
    subscribe: str
    unsubscribe: str
    params: Callable[[Watch], list[Any]]


def _balance_params(watch: Watch) -> list[Any]:
    # No data: a balance costs the same to watch on an account of 10 MB.
    config = {"encoding": "base64", "commitment": watch.commitment, "dataSlice": {"offset": 0, "length": 0}}
    return [watch.address, config]


def _account_params(watch: Watch) -> list[Any]:
    return [watch.address, {"encoding": "base64", "commitment": watch.commitment}]


def _program_params(watch: Watch) -> list[Any]:
    config: dict[str, Any] = {"encoding": "base64", "commitment": watch.commitment}
    if watch.filters:
        config["filters"] = watch.filters[:MOST_FILTERS]
    return [watch.address, config]


def _logs_params(watch: Watch) -> list[Any]:
    return [{"mentions": [watch.address]}, {"commitment": watch.commitment}]


def _signature_params(watch: Watch) -> list[Any]:
    return [watch.address, {"commitment": watch.commitment}]


def _token_accounts_params(watch: Watch) -> list[Any]:
    owned = {"memcmp": {"offset": TOKEN_OWNER_OFFSET, "bytes": watch.address}}
    # Accounts of Token-2022 are longer by their extensions.
    filters = [{"dataSize": TOKEN_ACCOUNT_BYTES}, owned] if watch.kind == "token_accounts" else [owned]
    config = {
        "encoding": "base64",
        "commitment": watch.commitment,
        "filters": filters,
        "dataSlice": {"offset": 0, "length": 0},
    }
    return [TOKEN_PROGRAMS[watch.kind], config]


METHODS: Mapping[Kind, Methods] = {
    "balance": Methods("accountSubscribe", "accountUnsubscribe", _balance_params),
    "account": Methods("accountSubscribe", "accountUnsubscribe", _account_params),
    "program": Methods("programSubscribe", "programUnsubscribe", _program_params),
    "logs": Methods("logsSubscribe", "logsUnsubscribe", _logs_params),
    "signature": Methods("signatureSubscribe", "signatureUnsubscribe", _signature_params),
    "token_accounts": Methods("programSubscribe", "programUnsubscribe", _token_accounts_params),
    "token_2022_accounts": Methods("programSubscribe", "programUnsubscribe", _token_accounts_params),
}


def watches_of(trigger: Any, commitment: Commitment) -> tuple[Watch, ...]:
    """The watches that a parsed trigger needs; none for triggers that the chain does not set off."""
    needs = _NEEDS.get(trigger.type)
    return () if needs is None else needs(trigger, commitment)


@lru_cache(maxsize=100_000)
def associated_accounts(wallet: str, mint: str) -> tuple[str, str]:
    """Where a wallet's tokens of a mint arrive: under the legacy token program, and under Token-2022."""
    return (
        associated_token_address(wallet, mint, TOKEN_PROGRAM),
        associated_token_address(wallet, mint, TOKEN_2022_PROGRAM),
    )


def _program(trigger: Any, commitment: Commitment) -> tuple[Watch, ...]:
    chosen = tuple(sorted((part.offset, part.bytes) for part in trigger.memcmp))
    return (Watch("program", trigger.program_id, commitment, chosen, trigger.data_size),)


def _token_receipt(trigger: Any, commitment: Commitment) -> tuple[Watch, ...]:
    if trigger.token_account is not None:
        return (Watch("logs", trigger.token_account, commitment),)
    return tuple(Watch("logs", place, commitment) for place in associated_accounts(trigger.wallet, trigger.mint))


def _nft_receipt(trigger: Any, commitment: Commitment) -> tuple[Watch, ...]:
    return tuple(Watch(kind, trigger.wallet, commitment) for kind in TOKEN_PROGRAMS)


def _transaction_status(trigger: Any, commitment: Commitment) -> tuple[Watch, ...]:
    if trigger.signature is not None:
        return (Watch("signature", trigger.signature, commitment),)
    return (Watch("logs", trigger.account or trigger.program_id, commitment),)


_NEEDS: Mapping[str, Callable[[Any, Commitment], tuple[Watch, ...]]] = {
    "balance_change": lambda trigger, commitment: (Watch("balance", trigger.address, commitment),),
    "account_change": lambda trigger, commitment: (Watch("account", trigger.address, commitment),),
    "program_account_change": _program,
    "token_receipt": _token_receipt,
    "nft_receipt": lambda trigger, commitment: tuple(
        Watch(kind, trigger.wallet, commitment) for kind in TOKEN_PROGRAMS
    ),
    "program_log": lambda trigger, commitment: (Watch("logs", trigger.program_id, commitment),),
    "transaction_status": _transaction_status,
}
CHAIN_TRIGGERS: frozenset[str] = frozenset(_NEEDS)

# Kind -> the trigger types that share its watches, each with a key that may hold the watch's address. Receipts at
# associated accounts are the exception: no key of theirs holds it (`associated_accounts`).
NAMED_BY: Mapping[Kind, tuple[tuple[str, str], ...]] = {
    "balance": (("balance_change", "address"),),
    "account": (("account_change", "address"),),
    "program": (("program_account_change", "program_id"),),
    "logs": (
        ("program_log", "program_id"),
        ("transaction_status", "account"),
        ("transaction_status", "program_id"),
        ("token_receipt", "token_account"),
    ),
    "signature": (("transaction_status", "signature"),),
    "token_accounts": (("nft_receipt", "wallet"),),
    "token_2022_accounts": (("nft_receipt", "wallet"),),
}
