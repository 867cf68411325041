"""Enabling and moving a trigger, against a real chain and without a listener."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.actors import system
from accounts.errors import Invalid, Refused
from accounts.models import Installation, Team
from executions.gateway import gateway
from executions.models import Heartbeat
from listener.models import AccountState, Gap, Subscription
from listener.selectors import endpoints, gap_list, subscription_list
from listener.services import workflow_enable, workflow_publish, workflow_update
from tests.local_chain import LocalChain
from tests.watching import actor, deltas, events, new_address, workflow
from workflows.models import Workflow
from workflows.services.workflow import workflow_disable
from workflows.services.workflow import workflow_update as update_without_baseline
from workflows.specs import served

pytestmark = pytest.mark.django_db

PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"


def funded(chain: LocalChain, lamports: int) -> str:
    address = new_address()
    chain.wait_for_status(chain.airdrop(address, lamports))
    return address


def by_balance(address: str, **settings: Any) -> Workflow:
    return workflow({"type": "balance_change", "address": address}, **settings)


def watching(address: str) -> dict[str, Any]:
    return {"schema": 1, "trigger": {"type": "balance_change", "address": address}}


def test_enabling_writes_down_the_state_and_its_slot(chain: LocalChain) -> None:
    address = funded(chain, 5_000_000)

    enabled = workflow_enable(actor=actor(), workflow=by_balance(address))

    row = AccountState.objects.get(address=address)
    assert (int(row.lamports), row.slot) == (5_000_000, enabled.enabled_at_slot)
    assert (row.subscription.checkpoint_slot, row.subscription.generation) == (enabled.enabled_at_slot, 1)
    assert row.subscription.genesis_hash == gateway().genesis_hash()


def test_the_baseline_of_a_newcomer_is_an_ordinary_sample_for_the_others(chain: LocalChain) -> None:
    address = funded(chain, 5_000_000)
    first = workflow_enable(actor=actor(), workflow=by_balance(address))
    chain.wait_for_status(chain.airdrop(address, 2_000_000))

    second = workflow_enable(actor=actor(), workflow=by_balance(address))

    assert deltas(first) == [2_000_000]
    assert deltas(second) == []
    assert Subscription.objects.get().generation == 2


def test_the_baseline_of_a_newcomer_sums_up_for_the_others_what_nobody_has_seen_yet(chain: LocalChain) -> None:
    address = funded(chain, 5_000_000)
    first = workflow_enable(actor=actor(), workflow=by_balance(address))
    Gap.objects.create(subscription=Subscription.objects.get(), from_slot=1, to_slot=2, reason="reconnect")
    for _ in range(2):
        chain.wait_for_status(chain.airdrop(address, 2_000_000))

    workflow_enable(actor=actor(), workflow=by_balance(address))

    assert [(event["lamports_delta"], event["catch_up"]) for event in events(first)] == [(4_000_000, True)]


def test_a_row_that_is_further_than_the_endpoint_is_the_baseline(chain: LocalChain) -> None:
    address = funded(chain, 5_000_000)
    first = workflow_enable(actor=actor(), workflow=by_balance(address))
    assert first.enabled_at_slot is not None
    AccountState.objects.update(slot=first.enabled_at_slot + 1000, lamports=9)

    second = workflow_enable(actor=actor(), workflow=by_balance(address))

    assert second.enabled_at_slot == first.enabled_at_slot + 1000
    assert deltas(first) == []


def test_enabling_what_watches_logs_leaves_a_gap_to_be_read_back(chain: LocalChain) -> None:
    made = workflow({"type": "program_log", "program_id": PROGRAM, "pattern": "x"})

    enabled = workflow_enable(actor=actor(), workflow=made)

    gap = Gap.objects.get()
    assert (gap.status, gap.reason, gap.from_slot, gap.to_slot) == (
        "open",
        "enabled",
        enabled.enabled_at_slot,
        enabled.enabled_at_slot,
    )


def test_what_no_chain_sets_off_is_enabled_without_asking_it(chain: LocalChain) -> None:
    chain.faults(server_error={"methods": ["getSlot", "getGenesisHash", "getAccountInfo"]})

    assert workflow_enable(actor=actor(), workflow=workflow({"type": "manual"})).enabled
    assert not Subscription.objects.exists()


def test_a_trigger_that_nobody_serves_yet_is_refused_before_the_chain_is_asked(
    chain: LocalChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "SERVED_TRIGGERS", frozenset())
    chain.faults(server_error={})

    with pytest.raises(Invalid):
        workflow_enable(actor=actor(), workflow=workflow({"type": "program_account_change", "program_id": PROGRAM}))


def test_another_chain_is_refused(chain: LocalChain) -> None:
    Installation.objects.update(genesis_hash="1" * 32)

    with pytest.raises(Refused) as refused:
        workflow_enable(actor=actor(), workflow=by_balance(new_address()))

    assert refused.value.code == "wrong_chain"


def test_moving_a_live_trigger_begins_with_the_new_accounts_state(chain: LocalChain) -> None:
    here, there = funded(chain, 5_000_000), funded(chain, 7_000_000)
    enabled = workflow_enable(actor=actor(), workflow=by_balance(here))
    before = enabled.enabled_at_slot
    chain.warp(5)

    moved = workflow_update(actor=actor(), workflow=enabled, changes={"definition": watching(there)})

    row = AccountState.objects.get(address=there)
    assert (int(row.lamports), row.slot) == (7_000_000, moved.enabled_at_slot)
    assert before is not None and moved.enabled_at_slot is not None and moved.enabled_at_slot > before


def test_a_change_that_watches_the_same_asks_no_chain(chain: LocalChain) -> None:
    enabled = workflow_enable(actor=actor(), workflow=by_balance(funded(chain, 5_000_000)))
    chain.faults(server_error={"methods": ["getAccountInfo"]})

    changed = workflow_update(actor=actor(), workflow=enabled, changes={"name": "another name"})

    assert (changed.name, changed.enabled_at_slot) == ("another name", enabled.enabled_at_slot)


def test_a_published_draft_begins_with_the_new_accounts_state(chain: LocalChain) -> None:
    here, there = funded(chain, 5_000_000), funded(chain, 7_000_000)
    enabled = workflow_enable(actor=actor(), workflow=by_balance(here))
    drafted = update_without_baseline(actor=actor(), workflow=enabled, changes={"draft": watching(there)})

    published = workflow_publish(actor=actor(), workflow=drafted)

    assert AccountState.objects.get(address=there).slot == published.enabled_at_slot


def test_what_was_changed_by_somebody_else_meanwhile_is_not_enabled_with_the_wrong_baseline(chain: LocalChain) -> None:
    here, there = funded(chain, 5_000_000), funded(chain, 7_000_000)
    seen_before = by_balance(here)
    stale = Workflow.objects.select_related("version").get(pk=seen_before.pk)
    update_without_baseline(actor=actor(), workflow=seen_before, changes={"definition": watching(there)})

    with pytest.raises(Refused) as refused:
        workflow_enable(actor=actor(), workflow=stale)

    assert refused.value.code == "changed_meanwhile"
    stale.refresh_from_db()
    assert not stale.enabled


def test_a_team_sees_what_its_own_enabled_workflows_watch(chain: LocalChain) -> None:
    ours = workflow_enable(actor=actor(), workflow=by_balance(funded(chain, 5_000_000)))
    Gap.objects.create(subscription=Subscription.objects.get(), from_slot=1, to_slot=2, reason="restart")
    others = system(Team.objects.create(name="Others"), "test").team

    assert [row.address for row in subscription_list(team=ours.team)] == [ours.version.definition["trigger"]["address"]]
    assert gap_list(team=ours.team).count() == 1
    assert not subscription_list(team=others).exists()
    assert not gap_list(team=others).exists()
    workflow_disable(actor=actor(), workflow=ours)
    assert not subscription_list(team=ours.team).exists()


def test_endpoints_are_those_of_listeners_that_live(db: None) -> None:
    shown = {"endpoints": [{"host": "rpc:1"}], "connections": [{"host": "ws:2"}]}
    Heartbeat.objects.create(name="alive", kind="listener", at=timezone.now(), detail=shown)
    long_ago = timezone.now() - timedelta(minutes=5)
    Heartbeat.objects.create(name="dead", kind="listener", at=long_ago, detail=shown)

    found = [(endpoint["protocol"], endpoint["host"], endpoint["listener"]) for endpoint in endpoints()]
    assert found == [("http", "rpc:1", "alive"), ("ws", "ws:2", "alive")]


def test_what_asks_something_else_of_the_same_subscription_begins_afresh(chain: LocalChain) -> None:
    """What nobody needed was not fetched until then, so the time from now on is read back."""
    enabled = workflow_enable(
        actor=actor(), workflow=workflow({"type": "program_log", "program_id": PROGRAM, "pattern": "x"})
    )
    before = enabled.enabled_at_slot
    Gap.objects.all().delete()
    chain.warp(5)
    definition = {"schema": 1, "trigger": {"type": "transaction_status", "program_id": PROGRAM}}

    changed = workflow_update(actor=actor(), workflow=enabled, changes={"definition": definition})

    assert before is not None and changed.enabled_at_slot is not None and changed.enabled_at_slot > before
    assert Gap.objects.get().from_slot == changed.enabled_at_slot
    assert Subscription.objects.get().generation == 2


def test_a_trigger_with_two_watches_begins_at_one_slot_with_both(chain: LocalChain) -> None:
    enabled = workflow_enable(actor=actor(), workflow=workflow({"type": "nft_receipt", "wallet": new_address()}))

    rows = Subscription.objects.values_list("kind", "checkpoint_slot", "generation")
    slot = enabled.enabled_at_slot
    assert sorted(rows) == [("token_2022_accounts", slot, 1), ("token_accounts", slot, 1)]
    assert list(Gap.objects.values_list("from_slot", flat=True)) == [slot, slot]
