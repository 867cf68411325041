"""From live notices of transactions to observations: at once where the notice says enough, else by fetching."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from chain.rpc.aio import AsyncRpcClient
from listener.fetching import Fetching
from listener.histories import account_signatures, readable
from listener.mailboxes import Mailboxes
from listener.needs import Needs, asks
from listener.observations import Observation, TransactionLogs
from listener.protocol import LogsNotice, SignatureNotice
from listener.recent import Recent
from listener.registry import Audience, Registry
from listener.transactions import fetch

# How long a list that has nothing of the notice's own slot counts as not complete yet.
PATIENT_S = 3.0
LAG_SLOTS = 32
# Transactions of wallets that were passed on a moment ago: one that touches several accounts is told for each.
MOST_RECENT = 10_000


class LiveTransactions:
    """What to do with a notice of each kind. On the event loop."""

    def __init__(self, registry: Registry, mailbox: Mailboxes, rpc: AsyncRpcClient, fetching: Fetching) -> None:
        self._registry = registry
        self._mailbox = mailbox
        self._rpc = rpc
        self._fetching = fetching
        self._needs: dict[int, tuple[Audience, Needs]] = {}
        self._recent = Recent(MOST_RECENT)

    def logs(self, notice: LogsNotice[int]) -> None:
        """A transaction mentions an address: its lines are here already, more is fetched for those who need it."""
        needs = self._needs_at(notice.key)
        if needs is None:
            return
        if needs.lines:
            logs = TransactionLogs(notice.key, notice.slot, notice.signature, notice.err, notice.logs, time.time())
            self._mailbox.put((logs,))
        if needs.transaction(notice.err, notice.logs):
            self._want(notice.key, notice.slot, notice.signature)

    def forget(self, subscription_id: int) -> None:
        """Nobody wants it any more."""
        self._needs.pop(subscription_id, None)

    def signature(self, notice: SignatureNotice[int], signature: str) -> None:
        """The transaction that was waited for has ended."""
        audience = self._registry.audience(notice.key)
        if audience is not None and any(asks(one, notice.err) for one in audience.wanted):
            self._want(notice.key, notice.slot, signature)

    def token_account(self, subscription_id: int, address: str, slot: int) -> None:
        """A token account of a wallet changed; which transaction did it, its history tells."""
        self._fetching.want(subscription_id, slot, partial(self._fetch_recent, subscription_id, address, slot))

    def _needs_at(self, subscription_id: int) -> Needs | None:
        audience = self._registry.audience(subscription_id)
        if audience is None:
            return None
        known = self._needs.get(subscription_id)
        if known is None or known[0] is not audience:
            known = self._needs[subscription_id] = (audience, Needs.of(audience.wanted))
        return known[1]

    def _want(self, subscription_id: int, slot: int, signature: str) -> None:
        self._fetching.want(subscription_id, slot, partial(self._fetch, subscription_id, [signature]))

    async def _fetch(self, subscription_id: int, signatures: Sequence[str], _: float) -> Sequence[Observation]:
        audience = self._registry.audience(subscription_id)
        return [] if audience is None else await fetch(self._rpc, audience, signatures, "live")

    async def _fetch_recent(
        self, subscription_id: int, address: str, slot: int, waited_s: float
    ) -> Sequence[Observation]:
        audience = self._registry.audience(subscription_id)
        if audience is None:
            return []
        listed = await account_signatures(
            self._rpc,
            address,
            readable(audience.watch.commitment),
            slot,
            lag_slots=LAG_SLOTS,
            is_patient=waited_s < PATIENT_S,
        )
        new = [
            info.signature
            for info in listed
            if info.err is None and (subscription_id, info.signature) not in self._recent
        ]
        found = await fetch(self._rpc, audience, new, "live")
        for signature in new:
            self._recent.add((subscription_id, signature))
        return found
