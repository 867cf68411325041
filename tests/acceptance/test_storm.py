"""A feed that drops, stalls, repeats, reorders and lies, and a listener that is killed: nothing is lost or told twice.

STORM_MINUTES says for how long (10 is what it was made for; without it there is none), STORM_SEED repeats its faults.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections

from executions.models import Execution
from listener.models import Gap
from tests.chaos.history import Change, History
from tests.chaos.load import Deposits
from tests.chaos.scenario import ANY_MEMO
from tests.local_chain import LocalChain
from tests.stack import Stack
from tests.waiting import wait_for
from tests.watching import enabled, events, new_address
from workflows.models import Workflow

ACCOUNTS = 200
EVENTS_PER_SECOND = 50
MEMO_PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
MINUTES = float(os.environ.get("STORM_MINUTES", "0"))
SEED = int(os.environ.get("STORM_SEED", time.time_ns() % 2**32))
KILL_EVERY_S = 60.0 if MINUTES > 2 else 12.0
QUIET_WITHIN_S = 120.0
FEED = ["accountNotification", "logsNotification", "signatureNotification"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(MINUTES * 60 + 300),
    pytest.mark.skipif(not MINUTES, reason="STORM_MINUTES says for how long it is to rage"),
]


@pytest.fixture
def watching(local_gateway: LocalChain) -> dict[str, Workflow]:
    """A workflow for each of the accounts, by address."""
    return {
        address: enabled({"type": "balance_change", "address": address})
        for address in (new_address() for _ in range(ACCOUNTS))
    }


def faults(rng: random.Random) -> dict[str, dict[str, object]]:
    """What goes wrong next, for a while."""
    kind = rng.choice(["duplicate", "reorder", "slot_offset", "malformed", "stall_sockets", "swallow"])
    if kind in ("stall_sockets", "swallow"):
        return {kind: {}}
    # Two changes of one account that are told in the wrong order are one: the older is not known of in time.
    methods = FEED[1:] if kind == "reorder" else FEED
    rule: dict[str, object] = {"methods": methods, "seed": rng.randrange(2**32), "probability": rng.uniform(0.1, 0.6)}
    if kind == "malformed":
        rule["probability"] = 0.01
    if kind == "slot_offset":
        rule["slots"] = rng.choice([-2, -1, 1, 2])
    return {kind: rule}


@contextmanager
def load(chain: LocalChain, addresses: list[str]) -> Iterator[Deposits]:
    deposits = Deposits(chain, addresses, rate=EVENTS_PER_SECOND, seed=SEED)
    deposits.start()
    try:
        yield deposits
    finally:
        deposits.stop()


def rage(stack: Stack, chain: LocalChain, rng: random.Random) -> None:
    """Cut the sockets every few seconds, let something else go wrong meanwhile, kill the listener now and then."""
    ends_at_s, kill_at_s = time.monotonic() + MINUTES * 60, time.monotonic() + KILL_EVERY_S
    while time.monotonic() < ends_at_s:
        chain.faults(**faults(rng))
        time.sleep(rng.uniform(0.5, 3.0))  # the weather itself, not a wait for a condition
        chain.clear_faults()
        time.sleep(rng.uniform(0.0, 0.5))  # what was held back comes, and what was swallowed does not
        chain.drop_sockets()
        if time.monotonic() > kill_at_s:
            stack.listener.kill()
            stack.start("listener")
            kill_at_s = time.monotonic() + KILL_EVERY_S


def told(workflow: Workflow) -> list[tuple[int, int]]:
    """From which balance to which, oldest first: the balances only grow."""
    return sorted((event["previous_lamports"], event["lamports"]) for event in events(workflow))


def happened(changes: list[Change]) -> list[tuple[int, int]]:
    return [(change.before, change.after) for change in changes]


def test_nothing_is_lost_or_told_twice_whatever_becomes_of_the_feed_and_the_listener(
    stack: Stack, local_gateway: LocalChain, watching: dict[str, Workflow]
) -> None:
    print(f"seed {SEED}")  # noqa: T201 - pytest shows it when the test failed
    chain, rng = local_gateway, random.Random(SEED)
    by_log = enabled({"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": f"^{ANY_MEMO}"})
    first_slot = chain.slot("processed")
    stack.start("listener")

    with load(chain, list(watching)) as deposits:
        rage(stack, chain, rng)
    last = chain.slot("processed")
    wait_for(lambda: chain.slot("finalized") > last, QUIET_WITHIN_S, "the last slot to be final")
    history = History(chain, first_slot)
    memos = {one.signature for one in history.transactions if any(memo.startswith(ANY_MEMO) for memo in one.memos)}

    wait_for(lambda: Execution.objects.filter(workflow=by_log).count() >= len(memos), QUIET_WITHIN_S, "every line")
    wait_for(lambda: not Gap.objects.filter(status="open").exists(), QUIET_WITHIN_S, "the gaps to be closed")
    balances = {address: history.changes(address, 0) for address in watching}
    wait_for(lambda: all(_sum(w) == chain.balance(a) for a, w in watching.items()), QUIET_WITHIN_S, "the balances")
    connections.close_all()

    assert deposits.sent > 0
    assert sorted(event["signature"] for event in events(by_log)) == sorted(memos)
    otherwise = {
        address: (told(workflow), happened(balances[address]))
        for address, workflow in watching.items()
        if told(workflow) != happened(balances[address])
    }
    print(f"{sum(map(len, balances.values()))} changes, {len(memos)} lines")  # noqa: T201 - how much was proven
    assert not otherwise
    assert set(Gap.objects.values_list("status", flat=True)) <= {"filled"}


def _sum(workflow: Workflow) -> int:
    return sum(event["lamports_delta"] for event in events(workflow))
