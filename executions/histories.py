"""What has landed with a signer: the finalized history of its address, newest first, back to where it is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from chain.errors import Unavailable
from chain.types import SignatureInfo
from executions.gateway import gateway
from executions.models import Attempt, SignerHistory
from workflows.models import Signer

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Bound:
    """How far back: transactions after `slot`; of one that was never looked at, since it came into this database.

    What an imported key did before was signed by somebody else. `signature` is the newest one at `slot`, or empty.
    """

    slot: int
    signature: str
    since: datetime | None

    def excludes(self, row: SignatureInfo) -> bool:
        """Whether this row, and so everything older, is behind the bound."""
        if row.slot <= self.slot:
            return True
        # The chain's clock counts in whole seconds.
        return self.since is not None and row.block_time is not None and row.block_time < int(self.since.timestamp())


def bound_of(signer: Signer) -> Bound:
    """Up to where this signer's history has been compared with the ledger (executions.memo_watch)."""
    known = SignerHistory.objects.filter(signer=signer).first()
    if known is None:
        return Bound(0, "", signer.created_at)
    return Bound(known.slot, known.signature, None)


@dataclass(frozen=True, slots=True)
class News:
    """The rows on this side of a bound, newest first, and the newest row of all, on whichever side."""

    rows: list[SignatureInfo]
    newest: SignatureInfo | None


def new_since(signer: Signer, bound: Bound) -> News:
    """What has landed since. Usually one request.

    With an `until` that it has forgotten a node answers its newest page and no error; the bound's slot stops that.
    """
    found: list[SignatureInfo] = []
    newest: SignatureInfo | None = None
    for row in _rows(signer.address, until=bound.signature or None):
        newest = newest or row
        if bound.excludes(row):
            break
        found.append(row)
    return News(found, newest)


def whole_since(signer: Signer, bound: Bound) -> list[SignatureInfo]:
    """As `new_since`, but a history that ends before the bound is an error: the node has forgotten a part of it.

    Raises:
        Unavailable: the history is not whole, or no endpoint answers.
    """
    reaches = bound.slot if bound.signature else _newest_known_slot(signer)
    found: list[SignatureInfo] = []
    oldest: SignatureInfo | None = None
    for oldest in _rows(signer.address):
        if bound.excludes(oldest):
            break
        found.append(oldest)
    if reaches is not None and (oldest is None or oldest.slot > reaches):
        raise Unavailable(
            f"no endpoint shows the history of {signer.address} back to slot {reaches}: "
            "name one in SOLANA_RPC_URLS that keeps more of it"
        )
    return found


def back_to(address: str, slot: int) -> list[SignatureInfo]:
    """The address's finalized transactions in `slot` and later, newest first."""
    found = []
    for row in _rows(address):
        if row.slot < slot:
            break
        found.append(row)
    return found


def _newest_known_slot(signer: Signer) -> int | None:
    landed = Attempt.objects.filter(signer=signer, finalized_at__isnull=False, slot__isnull=False)
    return landed.order_by("-slot").values_list("slot", flat=True).first()


def _rows(address: str, until: str | None = None) -> Iterator[SignatureInfo]:
    rpc, before = gateway().rpc, None
    while True:
        page = rpc.signatures_for_address(address, before=before, until=until, limit=PAGE, commitment="finalized")
        yield from page
        if len(page) < PAGE:
            return
        before = page[-1].signature
