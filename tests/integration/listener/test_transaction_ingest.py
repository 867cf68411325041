"""Whole transactions and accounts of programs at the commit point, on a real database and without sockets."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import Any

import pytest

from chain.decode.transaction import Transaction, read_transaction
from chain.tx.instructions import TOKEN_2022_PROGRAM, associated_token_address
from chain.types import AccountSample
from listener import gaps
from listener.ingest import record
from listener.loading import load
from listener.models import AccountState, Gap, Subscription
from listener.observations import CaughtUp, FetchedTransaction, Observation, Sample, TransactionLogs
from listener.registry import Audience, Registry
from listener.selectors import subscription_list
from tests.unit.chain.conftest import Recording
from tests.watching import actor, events, new_address, workflow
from workflows.models import Workflow
from workflows.services.workflow import workflow_enable

pytestmark = pytest.mark.django_db

ENABLED_AT = 100
RECEIVED = "spl-transfer-checked"


def received() -> dict[str, Any]:
    """What arrived in a recorded transaction."""
    (arrived,) = [one for one in Recording(RECEIVED).expected["tokenDeltas"] if int(one["delta"]) > 0]
    found: dict[str, Any] = arrived
    return found


def transaction(name: str = RECEIVED) -> Transaction:
    return read_transaction(Recording(name).transaction, with_instructions=True)


def watching(trigger: dict[str, Any]) -> Workflow:
    return workflow_enable(actor=actor(), workflow=workflow(trigger), enabled_at_slot=ENABLED_AT)


def reloaded() -> Registry:
    registry = Registry()
    loaded = load(registry.known)
    registry.apply(loaded.wanted, loaded.rows)
    return registry


def audience_at(registry: Registry, address: str) -> Audience:
    (found,) = [audience for audience in registry.audiences() if audience.watch.address == address]
    return found


def fetched(audience: Audience, seen: Transaction) -> FetchedTransaction:
    return FetchedTransaction(audience.subscription_id, seen, {}, time.time())


def test_a_receipt_is_one_execution_however_often_and_at_whatever_slot_it_is_seen() -> None:
    arrived = received()
    receipts = watching({"type": "token_receipt", "wallet": arrived["owner"], "mint": arrived["mint"]})
    registry = reloaded()
    audience = audience_at(registry, arrived["account"])
    seen = transaction()

    for slot in (seen.slot, seen.slot + 2, seen.slot):
        record([fetched(audience, replace(seen, slot=slot))], registry.audience)

    (event,) = events(receipts)
    assert (event["signature"], event["amount_delta"]) == (seen.signature, int(arrived["delta"]))


def test_a_wallet_that_the_registry_has_not_heard_of_gets_its_receipt() -> None:
    arrived = received()
    watching({"type": "token_receipt", "token_account": arrived["account"], "mint": arrived["mint"]})
    registry = reloaded()
    audience = audience_at(registry, arrived["account"])
    newcomer = watching({"type": "token_receipt", "wallet": arrived["owner"], "mint": arrived["mint"]})
    elsewhere = watching({"type": "token_receipt", "wallet": new_address(), "mint": arrived["mint"]})
    Subscription.objects.filter(pk=audience.subscription_id).update(generation=7)

    recorded = record([fetched(audience, transaction())], registry.audience)

    assert (len(events(newcomer)), len(events(elsewhere)), recorded.is_stale) == (1, 0, True)


def test_two_transactions_of_one_slot_are_two_executions() -> None:
    statuses = watching({"type": "transaction_status", "account": received()["account"]})
    registry = reloaded()
    (audience,) = registry.audiences()
    seen = transaction()
    other = replace(seen, signature="5" * 87)

    record([fetched(audience, seen), fetched(audience, other), fetched(audience, seen)], registry.audience)

    assert sorted(event["signature"] for event in events(statuses)) == sorted([seen.signature, other.signature])
    assert {event["slot"] for event in events(statuses)} == {seen.slot}


def test_a_line_seen_live_and_read_back_is_one_execution() -> None:
    program = "ZETAxsqBRek56DhiGXrn75yj2NHU3aYUnxvHXpkf3aD"
    lines = watching({"type": "program_log", "program_id": program, "pattern": "^Instruction: "})
    registry = reloaded()
    (audience,) = registry.audiences()
    seen = transaction("zeta-log-truncated")
    live = TransactionLogs(audience.subscription_id, seen.slot, seen.signature, None, seen.logs, time.time())

    record([live], registry.audience)
    count = len(events(lines))
    record([fetched(audience, seen)], registry.audience)

    assert count == len(events(lines)) > 0


class Program:
    """A watched program whose one account has its row."""

    def __init__(self) -> None:
        self.program_id, self.account = new_address(), new_address()
        self.workflow = watching({"type": "program_account_change", "program_id": self.program_id})
        self.registry = reloaded()
        (audience,) = self.registry.audiences()
        self.subscription_id = audience.subscription_id
        self.record(self.sample(self.account, ENABLED_AT, b"1"))

    def sample(self, address: str, slot: int, data: bytes, lamports: int = 5, **more: bool) -> Sample:
        state = AccountSample.of(slot, lamports, self.program_id, data)
        return Sample(self.subscription_id, address, state, time.time(), **more)

    def record(self, *batch: Observation) -> None:
        record(batch, self.registry.audience)

    def told(self) -> list[tuple[str, bytes]]:
        return [(event["account"], base64.b64decode(event["data_base64"])) for event in events(self.workflow)]


def test_each_account_of_a_program_moves_for_itself() -> None:
    program, new = Program(), new_address()

    program.record(program.sample(program.account, 102, b"2"), program.sample(new, 101, b"n"))
    program.record(program.sample(new, 101, b"n"), program.sample(program.account, 101, b"old"))

    assert sorted(program.told()) == sorted([(program.account, b"2"), (new, b"n")])


def test_an_account_that_is_told_twice_before_it_has_a_row_is_one_event() -> None:
    program, new = Program(), new_address()

    program.record(program.sample(new, 101, b"n"), program.sample(new, 101, b"n"))

    assert program.told() == [(new, b"n")]


def test_a_catch_up_that_was_too_much_is_a_loss_that_shows() -> None:
    program = Program()
    gap = Gap.objects.create(subscription_id=program.subscription_id, from_slot=100, to_slot=120, reason="restart")

    program.record(CaughtUp(program.subscription_id, 119, "too many"))
    gap.refresh_from_db()
    assert gap.status == "open"
    program.record(CaughtUp(program.subscription_id, 121, "too many"))

    gap.refresh_from_db()
    assert (gap.status, gap.note, gap.done_slot) == ("lost", "too many", None)
    assert gap.closed_at is not None


def test_what_could_not_be_fetched_is_a_gap_once() -> None:
    program = Program()

    for slot in (150, 151, 140):
        gaps.open_around(program.subscription_id, slot, 32)

    found = Gap.objects.order_by("from_slot").values_list("from_slot", "to_slot", "status", "reason")
    assert list(found) == [(108, 108, "open", "not fetched"), (118, 118, "open", "not fetched")]


def test_a_team_sees_every_subscription_of_its_workflows() -> None:
    wallet, mint = new_address(), new_address()
    receipts = watching({"type": "token_receipt", "wallet": wallet, "mint": mint})
    watching({"type": "nft_receipt", "wallet": wallet})
    watching({"type": "transaction_status", "signature": "5" * 87})
    watching({"type": "program_account_change", "program_id": mint, "memcmp": [{"offset": 1, "bytes": "abc"}]})
    reloaded()

    shown = {(row.kind, row.address) for row in subscription_list(team=receipts.team)}

    assert shown == {
        ("logs", associated_token_address(wallet, mint)),
        ("logs", associated_token_address(wallet, mint, TOKEN_2022_PROGRAM)),
        ("token_accounts", wallet),
        ("token_2022_accounts", wallet),
        ("signature", "5" * 87),
        ("program", mint),
    }
    assert AccountState.objects.count() == 0
