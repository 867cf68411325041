"""A real listener process on the local chain: what happens there happens here once, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest
from django.db import connections
from solders.keypair import Keypair

from accounts.errors import NotNow
from chain.tx.instructions import transfer_sol
from executions.models import Heartbeat
from listener.models import AccountState, Gap, Subscription
from listener.selectors import totals
from listener.services import workflow_enable, workflow_update
from tests.local_chain import LocalChain
from tests.services import Services
from tests.stack import Stack
from tests.waiting import wait_for
from tests.watching import actor, covering, deltas, enabled, events, memo_transaction, new_address, send, workflow
from workflows.models import Workflow
from workflows.services.workflow import workflow_disable

MEMO_PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
PATIENCE_S = 15.0


def watches_balance(address: str) -> Workflow:
    return enabled({"type": "balance_change", "address": address})


def watches_memos(pattern: str) -> Workflow:
    return enabled({"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": pattern})


def wait_until_seen(watching: Workflow, total: int) -> None:
    wait_for(lambda: sum(deltas(watching)) == total, PATIENCE_S, f"deltas of {total}")


def test_a_balance_change_becomes_an_execution(stack: Stack, chain: LocalChain) -> None:
    address = new_address()
    chain.wait_for_status(chain.airdrop(address, 10_000_000))
    watching = watches_balance(address)
    stack.start("listener")

    chain.airdrop(address, 5_000_000)

    wait_until_seen(watching, 5_000_000)
    (event,) = events(watching)
    assert (event["previous_lamports"], event["lamports"]) == (10_000_000, 15_000_000)


def test_workflows_are_taken_up_moved_and_dropped_within_a_second(stack: Stack, chain: LocalChain) -> None:
    stack.start("listener")
    here, there = new_address(), new_address()
    watching = watches_balance(here)
    wait_for(covering(1), 3, "the new subscription")
    chain.airdrop(here, 1_000_000)
    wait_until_seen(watching, 1_000_000)

    definition = {**watching.version.definition, "trigger": {"type": "balance_change", "address": there}}
    moved = workflow_update(actor=actor(), workflow=watching, changes={"definition": definition})
    chain.airdrop(here, 7)
    chain.airdrop(there, 2_000_000)
    wait_until_seen(moved, 3_000_000)

    workflow_disable(actor=actor(), workflow=moved)
    wait_for(covering(0), 3, "no subscription")
    chain.wait_for_status(chain.airdrop(there, 9))
    assert sum(deltas(moved)) == 3_000_000


def test_a_newcomer_on_a_shared_account_starts_with_its_own_baseline(stack: Stack, chain: LocalChain) -> None:
    address = new_address()
    first = watches_balance(address)
    stack.start("listener")
    for _ in range(5):
        chain.airdrop(address, 1_000_000)
    second = watches_balance(address)
    baseline = chain.balance(address, "confirmed")
    for _ in range(5):
        chain.wait_for_status(chain.airdrop(address, 1_000_000))

    wait_until_seen(first, 10_000_000)
    second.refresh_from_db()
    assert second.enabled_at_slot is not None
    wait_for(lambda: 0 <= 10_000_000 - sum(deltas(second)) <= baseline, PATIENCE_S, "the second's deltas")
    assert all(event["slot"] > second.enabled_at_slot for event in events(second))


def test_an_account_change_tells_owner_and_data(stack: Stack, chain: LocalChain) -> None:
    address = new_address()
    chain.set_account(address, lamports=2_000_000, data="AQI=", owner=MEMO_PROGRAM)
    chain.warp(3)
    made = workflow({"type": "account_change", "address": address, "watch": "data"})
    watching = workflow_enable(actor=actor(), workflow=made)
    stack.start("listener")

    chain.set_account(address, lamports=2_000_000, data="AQM=", owner=MEMO_PROGRAM)

    wait_for(lambda: events(watching), PATIENCE_S, "the change")
    (event,) = events(watching)
    assert (event["data_base64"], event["owner"], event["data_changed"]) == ("AQM=", MEMO_PROGRAM, True)


def test_a_matching_log_line_becomes_an_execution(stack: Stack, chain: LocalChain, funded: Keypair) -> None:
    watching = watches_memos("^order [0-9]+$")
    stack.start("listener")

    memo_transaction(chain, funded, "no order")
    signature = memo_transaction(chain, funded, "order 66")

    wait_for(lambda: events(watching), PATIENCE_S, "the line")
    (event,) = events(watching)
    assert (event["line"], event["signature"], event["logs_truncated"]) == ("order 66", signature, False)


def test_logs_between_the_enabling_and_the_acknowledgement_are_read_back(
    stack: Stack, chain: LocalChain, funded: Keypair
) -> None:
    watching = watches_memos("^early")
    sent = {memo_transaction(chain, funded, f"early {n}") for n in range(3)}
    stack.start("listener")

    wait_for(lambda: {event["signature"] for event in events(watching)} == sent, PATIENCE_S, "the early lines")
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gap to be filled")
    assert [(gap.reason, gap.status) for gap in Gap.objects.all()] == [("enabled", "filled")]


def test_more_transactions_than_are_read_back_are_a_loss_that_shows(
    stack: Stack, chain: LocalChain, funded: Keypair
) -> None:
    watching = watches_memos("^early")
    sent = []
    for n in range(6):
        sent.append(memo_transaction(chain, funded, f"early {n}"))
        chain.warp(1)
    stack.listener.start(READ_BACK_MAX_SIGNATURES="4")

    wait_for(lambda: len(events(watching)) == 4, PATIENCE_S, "the newest lines")
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gaps to be closed")
    assert {event["signature"] for event in events(watching)} == set(sent[2:])
    lost = Gap.objects.get(status="lost")
    assert (lost.note, totals().lost_gaps) == ("more than 4 transactions", 1)


def test_a_gap_that_nobody_wants_to_know_about_any_more_is_closed(stack: Stack, chain: LocalChain) -> None:
    chain.faults(server_error={"methods": ["getSignaturesForAddress"]})
    watching = watches_memos("^x")
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")

    workflow_disable(actor=actor(), workflow=watching)

    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gap to be closed")
    assert Gap.objects.get().note == "no workflow watches it any more"


@pytest.mark.parametrize("trouble", ["dropped sockets", "killed listener", "stalled sockets"])
def test_nothing_is_lost_or_doubled(stack: Stack, chain: LocalChain, funded: Keypair, trouble: str) -> None:
    """Events go on while the listener cannot see them."""
    address = new_address()
    by_balance, by_log = watches_balance(address), watches_memos("^n[0-9]+$")
    stack.start("listener")
    wait_for(covering(2), PATIENCE_S, "both subscriptions")

    sent: list[str] = []
    for round_number in range(3):
        sent += _some_events(chain, funded, address, round_number)
        if trouble == "dropped sockets":
            chain.drop_sockets()
        elif trouble == "stalled sockets":
            before = _reconnects()
            chain.faults(stall_sockets={})
        else:
            stack.listener.kill()
        sent += _some_events(chain, funded, address, round_number + 10)
        if trouble == "stalled sockets":
            wait_for(partial(_has_reconnected_since, before), PATIENCE_S, "the silence to be noticed")
        chain.clear_faults()
        if trouble == "killed listener":
            stack.start("listener")
    sent += _some_events(chain, funded, address, 99)

    wait_until_seen(by_balance, chain.balance(address))
    wait_for(lambda: len(events(by_log)) == len(sent), PATIENCE_S, "every line")
    assert {event["signature"] for event in events(by_log)} == set(sent)
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gaps to be filled")
    assert [event["slot"] for event in events(by_balance)] == slots_of(chain, address)
    assert not any(event["catch_up"] for event in events(by_balance))


def test_what_a_feed_swallowed_with_its_slots_is_told_before_what_comes_after_it(
    stack: Stack, chain: LocalChain
) -> None:
    address = new_address()
    watching = watches_balance(address)
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    chain.pause()
    chain.airdrop(address, 1_000_000)
    chain.warp(5)
    wait_until_seen(watching, 1_000_000)

    chain.faults(swallow={})
    chain.airdrop(address, 2_000_000)
    chain.warp(5)
    chain.clear_faults()
    chain.airdrop(address, 3_000_000)
    chain.warp(5)
    chain.resume()

    wait_until_seen(watching, 6_000_000)
    assert deltas(watching) == [1_000_000, 2_000_000, 3_000_000]
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gap to be filled")
    assert "slots were swallowed after" in stack.listener.output()


def slots_of(chain: LocalChain, address: str) -> list[int]:
    """The slots in which something happened to an address, oldest first, as the chain itself lists them."""
    listed = chain.call("getSignaturesForAddress", [address, {"commitment": "confirmed"}])
    return sorted({info["slot"] for info in listed})


def test_each_change_of_a_balance_that_nobody_saw_is_an_event_of_its_own(stack: Stack, chain: LocalChain) -> None:
    """Read back by slot, with the balance before and after; a failed transaction pays its fee and is one of them."""
    payer = Keypair()
    chain.wait_for_status(chain.airdrop(payer.pubkey(), 10_000_000))
    watching = watches_balance(str(payer.pubkey()))
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    stack.listener.kill()
    for lamports in (1_000, 2_000):
        chain.wait_for_status(chain.airdrop(payer.pubkey(), lamports))
    chain.wait_for_status(send(chain, payer, transfer_sol(str(payer.pubkey()), new_address(), 900_000_000)))

    stack.start("listener")

    wait_for(lambda: len(events(watching)) == 3, PATIENCE_S, "an event for each")
    assert deltas(watching) == [1_000, 2_000, -5_000]
    assert [event["slot"] for event in events(watching)] == slots_of(chain, str(payer.pubkey()))[1:]
    assert not any(event["catch_up"] for event in events(watching))
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gap to be filled")
    assert Gap.objects.latest("id").note.endswith("transactions read back")


def test_of_a_history_that_is_too_long_the_older_part_is_one_change(stack: Stack, chain: LocalChain) -> None:
    """Nothing is lost of the sum, and the gap says what was done."""
    address = new_address()
    watching = watches_balance(address)
    stack.start("listener", READ_BACK_MAX_SIGNATURES="1")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    stack.listener.kill()
    for lamports in (1_000_000, 2_000_000, 3_000_000):
        chain.wait_for_status(chain.airdrop(address, lamports))

    stack.start("listener", READ_BACK_MAX_SIGNATURES="1")

    wait_until_seen(watching, 6_000_000)
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gap to be filled")
    assert Gap.objects.latest("id").note.startswith("coalesced before slot")


def test_an_account_whose_state_is_not_known_begins_anew(stack: Stack, chain: LocalChain) -> None:
    """After a restore its past may have been paid for already: none of it is an event, and the gap is lost."""
    address = new_address()
    watching = watches_balance(address)
    chain.wait_for_status(chain.airdrop(address, 1_000_000))
    AccountState.objects.all().delete()

    stack.start("listener")
    wait_for(lambda: Gap.objects.filter(status="lost").exists(), PATIENCE_S, "the loss to be shown")
    wait_for(lambda: AccountState.objects.exists(), PATIENCE_S, "the new beginning")
    chain.airdrop(address, 2_000_000)

    wait_until_seen(watching, 2_000_000)
    assert len(events(watching)) == 1


@pytest.mark.parametrize("point", ["ingest.before_commit", "ingest.after_commit"])
def test_a_power_cut_around_the_commit_makes_one_execution(stack: Stack, chain: LocalChain, point: str) -> None:
    address = new_address()
    watching = watches_balance(address)
    chain.airdrop(address, 1_000_000)
    stack.listener.launch(SOLFLOW_CRASH_AT=f"{point}:1")
    stack.listener.wait_until_dead()

    stack.start("listener")

    wait_until_seen(watching, 1_000_000)
    assert len(events(watching)) == 1


def test_a_database_that_is_away_for_a_while_loses_nothing(stack: Stack, chain: LocalChain, services: Services) -> None:
    address = new_address()
    watching = watches_balance(address)
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")

    connections.close_all()
    services.postgres.stop()
    for _ in range(3):
        chain.wait_for_status(chain.airdrop(address, 1_000_000))
    services.postgres.start()

    wait_until_seen(watching, 3_000_000)
    assert stack.listener.running


def test_notifications_that_come_twice_late_and_broken_lose_and_double_nothing(
    stack: Stack, chain: LocalChain, funded: Keypair
) -> None:
    address = new_address()
    by_balance, by_log = watches_balance(address), watches_memos("^n[0-9]+$")
    stack.start("listener")
    wait_for(covering(2), PATIENCE_S, "both subscriptions")
    told = ["accountNotification", "logsNotification"]
    chain.faults(
        duplicate={"methods": told, "probability": 0.3, "seed": 1},
        reorder={"methods": told, "probability": 0.3, "seed": 2},
        malformed={"methods": told, "probability": 0.1, "seed": 3},
        slot_offset={"methods": told, "probability": 0.2, "seed": 4, "slots": 1},
    )

    sent = [signature for n in range(10) for signature in _some_events(chain, funded, address, n)]
    chain.wait_for_status(sent[-1])
    chain.clear_faults()

    wait_until_seen(by_balance, chain.balance(address))
    wait_for(lambda: len(events(by_log)) >= len(sent), PATIENCE_S, "every line")
    assert sorted(event["signature"] for event in events(by_log)) == sorted(sent)


def test_a_change_that_vanishes_with_its_fork_is_taken_back(stack: Stack, chain: LocalChain) -> None:
    address = new_address()
    made = workflow({"type": "balance_change", "address": address}, commitment="processed")
    watching = workflow_enable(actor=actor(), workflow=made)
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    chain.pause()
    chain.airdrop(address, 1_000_000)
    chain.warp(1)
    wait_until_seen(watching, 1_000_000)

    chain.rollback(2)
    chain.resume()

    wait_until_seen(watching, 0)
    assert [event["lamports_delta"] for event in events(watching)] == [1_000_000, -1_000_000]
    assert chain.balance(address) == 0


def test_a_stop_writes_what_has_come_in_and_says_goodbye(stack: Stack, chain: LocalChain) -> None:
    watching = watches_balance(new_address())
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")

    chain.airdrop(watching.version.definition["trigger"]["address"], 1_000_000)
    wait_until_seen(watching, 1_000_000)
    stack.listener.stop()

    assert not Heartbeat.objects.filter(kind="listener").exists()


def test_checkpoints_follow_the_chain_although_nothing_happens(stack: Stack, chain: LocalChain) -> None:
    watches_balance(new_address())
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")
    before = Subscription.objects.get().checkpoint_slot
    assert before is not None

    chain.warp(40)

    wait_for(lambda: (Subscription.objects.get().checkpoint_slot or 0) > before, PATIENCE_S, "the checkpoint to move")


def test_without_an_endpoint_nothing_is_enabled(chain: LocalChain, settings: object, transactional_db: None) -> None:
    chain.faults(server_error={"methods": ["getAccountInfo"]})
    made = workflow({"type": "balance_change", "address": new_address()})

    with pytest.raises(NotNow):
        workflow_enable(actor=actor(), workflow=made)

    made.refresh_from_db()
    assert not made.enabled


def test_another_chain_ends_the_listener_with_one_line(stack: Stack, chain: LocalChain) -> None:
    watches_balance(new_address())
    with LocalChain(slot_ms=100) as other:
        stack.listener.launch(SOLANA_RPC_URLS=other.rpc_url, SOLANA_WS_URLS=other.ws_url)
        wait_for(lambda: not stack.listener.running, PATIENCE_S, "the listener to end")

    assert stack.listener.output().count("wrong_chain") == 1
    assert "Traceback" not in stack.listener.output()


def _reconnects() -> int:
    (heartbeat,) = Heartbeat.objects.filter(kind="listener")
    return sum(connection["reconnects"] for connection in heartbeat.detail["connections"])


def _has_reconnected_since(reconnects: int) -> bool:
    return _reconnects() > reconnects


def _some_events(chain: LocalChain, payer: Keypair, address: str, number: int) -> Sequence[str]:
    """Deposits and memos, in several slots."""
    signatures = []
    for n in range(3):
        chain.airdrop(address, 1_000_000 + n)
        signatures.append(memo_transaction(chain, payer, f"n{number * 10 + n}"))
        chain.warp(1)
    return signatures
