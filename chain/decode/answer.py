"""The shape of a `getTransaction` answer (encodings `json` and `jsonParsed`): what any other module may rely on.

A node's word is taken for what happened, never for how it is written: whatever has another type, points outside of its
list, is out of range or is there twice is no answer, because half of a balance would be a certain and wrong amount.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from chain.types import TokenBalance

T = TypeVar("T")

U64_MAX = 2**64 - 1
# A call between programs carries at most 10 KiB, which in base58 is this many characters and no more. Reading base58
# takes time with the square of its length.
MAX_DATA_CHARACTERS = 14_000

Natural = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Height = Annotated[int, Meta(ge=1, le=64)]
Decimal = Annotated[str, Meta(pattern=r"\A[0-9]{1,20}\Z")]


class _Amount(msgspec.Struct):
    amount: Decimal
    decimals: Annotated[int, Meta(ge=0, le=255)]


class _TokenEntry(msgspec.Struct, rename="camel"):
    account_index: Natural
    mint: str
    ui_token_amount: _Amount
    owner: str | None = None
    program_id: str | None = None


class _Key(msgspec.Struct):
    pubkey: str


class Entry(msgspec.Struct, rename="camel"):
    """An instruction as the node writes it. Without `data` it is one that the node has parsed."""

    program_id_index: Natural | None = None
    program_id: str | None = None
    accounts: list[Natural | str] = []
    data: Annotated[str, Meta(max_length=MAX_DATA_CHARACTERS)] | None = None
    stack_height: Height | None = None


class _Group(msgspec.Struct):
    index: Natural
    instructions: list[Entry]


class _Loaded(msgspec.Struct):
    writable: list[str] = []
    readonly: list[str] = []


class _Meta(msgspec.Struct, rename="camel"):
    err: Any
    fee: Natural
    pre_balances: list[Natural]
    post_balances: list[Natural]
    pre_token_balances: list[_TokenEntry] | None = None
    post_token_balances: list[_TokenEntry] | None = None
    log_messages: list[str] | None = None
    loaded_addresses: _Loaded | None = None


class _Message(msgspec.Struct, rename="camel"):
    account_keys: list[str | _Key]


class _Transaction(msgspec.Struct):
    message: _Message
    signatures: Annotated[list[str], Meta(min_length=1)]


class _Whole(msgspec.Struct):
    slot: Natural
    meta: _Meta
    transaction: _Transaction


class _RanMeta(msgspec.Struct, rename="camel"):
    inner_instructions: list[_Group] | None = None


class _RanMessage(msgspec.Struct):
    instructions: list[Entry] = []


class _RanTransaction(msgspec.Struct):
    message: _RanMessage


class _Ran(msgspec.Struct):
    meta: _RanMeta
    transaction: _RanTransaction


@dataclass(frozen=True, slots=True)
class Answer:
    """The parts of an answer, each of its type and consistent with the others.

    `keys` are all accounts in balance order: the message's own, then those loaded from lookup tables, writable before
    read-only. `lamports` and `tokens` are pairs: before, after. `logs` is None where the node does not tell them.
    """

    slot: int
    signature: str
    err: Any
    fee: int
    keys: tuple[str, ...]
    lamports: tuple[Sequence[int], Sequence[int]]
    tokens: tuple[Sequence[TokenBalance], Sequence[TokenBalance]]
    logs: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Ran:
    """What ran: the `top` instructions, and those that each of them caused (`inner`, by its place)."""

    top: Sequence[Entry]
    inner: Mapping[int, Sequence[Entry]]


def read_answer(answer: Any) -> Answer:
    """The answer's parts. Raises ValueError where it has not the shape that the method promises."""
    whole = _converted(answer, _Whole, "transaction")
    meta, message = whole.meta, whole.transaction.message
    keys = _keys(message, meta.loaded_addresses or _Loaded())
    _require(len(meta.pre_balances) == len(meta.post_balances) == len(keys), "balances and accounts differ in number")
    return Answer(
        slot=whole.slot,
        signature=whole.transaction.signatures[0],
        err=meta.err,
        fee=meta.fee,
        keys=keys,
        lamports=(meta.pre_balances, meta.post_balances),
        tokens=_tokens(meta.pre_token_balances, meta.post_token_balances, len(keys)),
        logs=None if meta.log_messages is None else tuple(meta.log_messages),
    )


def read_instructions(answer: Any, accounts: int) -> Ran:
    """The instructions of an answer that names so many accounts; they cost more to read than all the rest. Raises
    ValueError as `read_answer`."""
    ran = _converted(answer, _Ran, "transaction")
    top, groups = ran.transaction.message.instructions, ran.meta.inner_instructions or ()
    inner = {group.index: group.instructions for group in groups}
    _require(len(inner) == len(groups), "an instruction caused others twice")
    _require(all(index < len(top) for index in inner), "instructions were caused by none")
    _require(all(_is_resolvable(entry, accounts) for entry in chain(top, *inner.values())), "an index names no account")
    return Ran(top, inner)


def token_balance(entry: Mapping[str, Any]) -> TokenBalance:
    """One element of `preTokenBalances` / `postTokenBalances`. Amounts arrive as decimal text, never as a number.

    Raises ValueError where it is none.
    """
    return _balance(_converted(entry, _TokenEntry, "token balance"))


def _converted(value: Any, kind: type[T], what: str) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"no {what}: {error}") from error


def _keys(message: _Message, loaded: _Loaded) -> tuple[str, ...]:
    own = [key if isinstance(key, str) else key.pubkey for key in message.account_keys]
    if any(isinstance(key, _Key) for key in message.account_keys):
        return tuple(own)  # jsonParsed lists the loaded ones already
    return (*own, *loaded.writable, *loaded.readonly)


def _tokens(
    before: Sequence[_TokenEntry] | None, after: Sequence[_TokenEntry] | None, accounts: int
) -> tuple[Sequence[TokenBalance], Sequence[TokenBalance]]:
    # Nodes that keep no token balances tell neither. One side alone would make everything arrive, or leave.
    _require((before is None) == (after is None), "token balances are told of one side only")
    sides = [_balance(entry) for entry in before or ()], [_balance(entry) for entry in after or ()]
    for side in sides:
        places = {balance.account_index for balance in side}
        _require(len(places) == len(side), "a token account has two balances")
        _require(all(place < accounts for place in places), "a token balance belongs to no account")
    return sides


def _balance(entry: _TokenEntry) -> TokenBalance:
    amount = int(entry.ui_token_amount.amount)
    _require(amount <= U64_MAX, "an amount is out of range")
    return TokenBalance(
        account_index=entry.account_index,
        mint=entry.mint,
        owner=entry.owner,
        program_id=entry.program_id,
        amount=amount,
        decimals=entry.ui_token_amount.decimals,
    )


def _is_resolvable(entry: Entry, accounts: int) -> bool:
    has_program = entry.program_id is not None if entry.program_id_index is None else entry.program_id_index < accounts
    return has_program and all(isinstance(account, str) or account < accounts for account in entry.accounts)


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(f"no transaction: {problem}")
