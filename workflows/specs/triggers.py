"""What starts a workflow: one of ten kinds of events. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import base58
from pydantic import Field, StringConstraints, Tag, model_validator

from workflows.specs.amounts import Lamports, TokenAmount
from workflows.specs.fields import Address, Cron, IdlId, MemcmpBytes, RegularExpression, Signature, Timezone
from workflows.specs.parts import TAG_MARK, Part, by_type
from workflows.specs.texts import refusal

MAX_ACCOUNT_BYTES = 10 * 1024 * 1024
MAX_MEMCMP_FILTERS = 4  # what RPC nodes take


class BalanceChange(Part):
    """The lamports of an account changed, by at least `min_change` in the wanted direction."""

    type: Literal["balance_change"]
    address: Address
    direction: Literal["any", "increase", "decrease"] = "any"
    min_change: Lamports = 1


class AccountChange(Part):
    """Lamports, owner or data of an account changed; `watch` narrows it to one of the latter two."""

    type: Literal["account_change"]
    address: Address
    watch: Literal["any", "data", "owner"] = "any"


class Memcmp(Part):
    """Bytes (base58) that the account's data must have at an offset."""

    offset: Annotated[int, Field(ge=0, le=MAX_ACCOUNT_BYTES)]
    bytes: MemcmpBytes


class ProgramAccountChange(Part):
    """Any account that a program owns changed; `memcmp` and `data_size` choose among them."""

    type: Literal["program_account_change"]
    program_id: Address
    memcmp: Annotated[tuple[Memcmp, ...], Field(strict=False, max_length=MAX_MEMCMP_FILTERS)] = ()
    data_size: Annotated[int | None, Field(ge=0, le=MAX_ACCOUNT_BYTES)] = None

    @model_validator(mode="after")
    def _within_data_size(self) -> Self:
        for index, part in enumerate(self.memcmp):
            if self.data_size is not None and part.offset + len(base58.b58decode(part.bytes)) > self.data_size:
                raise refusal("beyond_data_size", at=f"memcmp[{index}]", size=self.data_size)
        return self


class TokenReceipt(Part):
    """Tokens of a mint arrived at a wallet's associated account, or at a token account."""

    type: Literal["token_receipt"]
    wallet: Address | None = None
    token_account: Address | None = None
    mint: Address
    min_amount: TokenAmount = 1

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        _exactly_one(self, "wallet", "token_account")
        return self


class NftReceipt(Part):
    """An NFT arrived at a wallet. `verified_only` asks that the named collection has verified it as its own."""

    type: Literal["nft_receipt"]
    wallet: Address
    collection: Address | None = None
    verified_only: bool = True


class ProgramLog(Part):
    """A program wrote a line that matches `pattern`, or emitted the `event` of an IDL."""

    type: Literal["program_log"]
    program_id: Address
    pattern: RegularExpression | None = None
    event: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    idl: IdlId | None = None
    include_failed: bool = False
    on_truncated: Literal["ignore", "notify"] = "notify"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.pattern is None) == (self.event is None and self.idl is None):
            raise refusal("one_of", names="pattern, event with idl")
        if self.pattern is None and (self.event is None or self.idl is None):
            raise refusal("missing", at="event" if self.event is None else "idl")
        return self


class TransactionStatus(Part):
    """A transaction ended: one known by its signature, or any that names an account or a program."""

    type: Literal["transaction_status"]
    signature: Signature | None = None
    account: Address | None = None
    program_id: Address | None = None
    status: Literal["any", "success", "failed"] = "any"

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        _exactly_one(self, "signature", "account", "program_id")
        return self


class Schedule(Part):
    """A time came, by cron in a time zone. A run missed while SolFlow was down is run once, or skipped."""

    type: Literal["schedule"]
    cron: Cron
    timezone: Timezone = "UTC"
    missed: Literal["run_once", "skip"] = "run_once"


class Webhook(Part):
    """A signed request came to the workflow's own address."""

    type: Literal["webhook"]
    auth: Literal["standard", "header"] = "standard"


class Manual(Part):
    """A person, or a program by the API, asked for a run."""

    type: Literal["manual"]


TRIGGER_TYPES: Mapping[str, type[Part]] = {
    "balance_change": BalanceChange,
    "account_change": AccountChange,
    "program_account_change": ProgramAccountChange,
    "token_receipt": TokenReceipt,
    "nft_receipt": NftReceipt,
    "program_log": ProgramLog,
    "transaction_status": TransactionStatus,
    "schedule": Schedule,
    "webhook": Webhook,
    "manual": Manual,
}

Trigger = Annotated[
    Annotated[BalanceChange, Tag(TAG_MARK + "balance_change")]
    | Annotated[AccountChange, Tag(TAG_MARK + "account_change")]
    | Annotated[ProgramAccountChange, Tag(TAG_MARK + "program_account_change")]
    | Annotated[TokenReceipt, Tag(TAG_MARK + "token_receipt")]
    | Annotated[NftReceipt, Tag(TAG_MARK + "nft_receipt")]
    | Annotated[ProgramLog, Tag(TAG_MARK + "program_log")]
    | Annotated[TransactionStatus, Tag(TAG_MARK + "transaction_status")]
    | Annotated[Schedule, Tag(TAG_MARK + "schedule")]
    | Annotated[Webhook, Tag(TAG_MARK + "webhook")]
    | Annotated[Manual, Tag(TAG_MARK + "manual")],
    by_type(TRIGGER_TYPES),
]


def _exactly_one(part: Part, *names: str) -> None:
    if sum(getattr(part, name) is not None for name in names) != 1:
        raise refusal("one_of", names=", ".join(names))
