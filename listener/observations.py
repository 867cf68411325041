"""Values on their way from the socket, a read or the history to the ingest transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from chain.decode.metadata import Collection
from chain.decode.transaction import Transaction
from chain.types import AccountSample


class Sample(msgspec.Struct, frozen=True, gc=False):
    """An account as seen by a subscription.

    `catch_up`: it stands for a time that was not seen live. `live`: it came by the socket, so that one which is refused
    as old although its value differs calls for a read. `check`: it moves nothing; where its value differs, that does.
    """

    subscription_id: int
    address: str
    sample: AccountSample
    seen_at_s: float
    catch_up: bool = False
    live: bool = True
    check: bool = False


class Past(msgspec.Struct, frozen=True, gc=False):
    """What a balance was before, after each slot in which something happened to it, oldest first, and what it is.

    A second sample marked `catch_up` stands for the changes before it, too: they could not be told apart.
    """

    subscription_id: int
    address: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The catch-up samples of a state subscription as of `slot` were put before this: what happened until then is
    accounted for in the way that `note` says, or lost for the reason `lost_because`."""

    subscription_id: int
    slot: int
    lost_because: str = ""
    note: str = "coalesced"


class TransactionLogs(msgspec.Struct, frozen=True):
    """The logs of one transaction that mentions what a subscription watches, seen live or read back."""

    subscription_id: int
    slot: int
    signature: str
    err: Any
    logs: tuple[str, ...]
    seen_at_s: float


@dataclass(frozen=True, slots=True)
class FetchedTransaction:
    """A whole transaction that concerns what a subscription watches, fetched because somebody asks more of it than a
    notice tells, or read back. `collections` are those of the NFTs that arrived, by mint."""

    subscription_id: int
    transaction: Transaction
    collections: Mapping[str, Collection | None]
    seen_at_s: float


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that happened to these subscriptions up to `slot` was put into the mailbox before this.

    `counts` says how many notifications each of them got since the last time.
    """

    counts: Mapping[int, int]
    slot: int


@dataclass(frozen=True, slots=True)
class GapProgress:
    """A read-back has passed on everything up to `done_slot`, and that is committed before or with this."""

    subscription_id: int
    gap_id: int
    done_slot: int
    note: str = ""


Observation = Sample | Past | CaughtUp | TransactionLogs | FetchedTransaction | Seen | GapProgress
