"""One watched account in the database, and its ingest without sockets."""

from __future__ import annotations

import time
from typing import Any

from chain.types import AccountSample
from listener.ingest import Recorded, record
from listener.loading import ensure_rows, load
from listener.models import AccountState, Subscription
from listener.observations import Observation, Past, Sample
from listener.registry import Registry
from listener.states import Place
from listener.watches import Watch
from tests.watching import actor, new_address, workflow
from workflows.models import Workflow
from workflows.services.workflow import workflow_enable

ENABLED_AT = 100


class Ledger:
    """One watched account, with its row at 1 000 lamports in slot 100."""

    def __init__(self, **trigger: Any) -> None:
        self.address = new_address()
        self.watch = Watch("balance", self.address, "confirmed")
        self.workflow = self.add(**trigger)
        ensure_rows([self.watch])
        self.subscription = Subscription.objects.get(digest=self.watch.digest)
        AccountState.objects.create(
            subscription=self.subscription, address=self.address, slot=ENABLED_AT, lamports=1000, owner="owner"
        )
        self.registry = Registry()
        self.reload()

    def add(self, enabled_at_slot: int = ENABLED_AT, **trigger: Any) -> Workflow:
        made = workflow({"type": "balance_change", "address": self.address, **trigger})
        return workflow_enable(actor=actor(), workflow=made, enabled_at_slot=enabled_at_slot)

    def reload(self) -> None:
        loaded = load(self.registry.known)
        self.registry.apply(loaded.wanted, loaded.rows)

    def sample(self, slot: int, lamports: int, **more: Any) -> Sample:
        state = AccountSample(slot, lamports, "owner")
        return Sample(self.subscription.pk, self.address, state, time.time(), **more)

    def past(self, *balances: tuple[int, int]) -> Past:
        samples = tuple(self.sample(slot, lamports, live=False) for slot, lamports in balances)
        return Past(self.subscription.pk, self.address, samples)  # the first is what was before

    def record(self, *batch: Observation, in_doubt: frozenset[Place] = frozenset()) -> Recorded:
        return record(batch, self.registry.audience, in_doubt)

    @property
    def row(self) -> tuple[int, int]:
        row = AccountState.objects.get(subscription=self.subscription)
        return row.slot, int(row.lamports)
