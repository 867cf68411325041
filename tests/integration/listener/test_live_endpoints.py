"""Two endpoints of one chain: what is told by both happens once, and the loss of one is no gap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from solders.keypair import Keypair

from executions.models import Heartbeat
from listener.models import Gap, Subscription
from tests.local_chain import LocalChain
from tests.stack import Stack
from tests.tcp_relay import TcpRelay
from tests.waiting import wait_for
from tests.watching import covering, deltas, enabled, events, memo_transaction, new_address

MEMO_PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
PATIENCE_S = 15.0

Relays = tuple[TcpRelay, TcpRelay]


@pytest.fixture
def relays(chain: LocalChain) -> Iterator[Relays]:
    pair = TcpRelay(chain.ws_port), TcpRelay(chain.ws_port)
    yield pair
    for relay in pair:
        relay.close()


def listening_to_both(stack: Stack, relays: Relays) -> None:
    urls = ",".join(f"ws://127.0.0.1:{relay.port}" for relay in relays)
    stack.start("listener", SOLANA_WS_URLS=urls, LISTENER_ENDPOINTS_AT_ONCE="2")
    wait_for(covering(2), PATIENCE_S, "both subscriptions")
    wait_until_both_carry_both()


def wait_until_both_carry_both() -> None:
    now = timezone.now()

    def carry() -> bool:
        beats = Heartbeat.objects.filter(kind="listener", at__gt=now)
        return any([one["acknowledged"] for one in beat.detail["connections"]] == [2, 2] for beat in beats)

    wait_for(carry, PATIENCE_S, "both sockets to carry both subscriptions")


def test_what_two_endpoints_tell_happens_once(stack: Stack, chain: LocalChain, funded: Keypair, relays: Relays) -> None:
    address = new_address()
    by_balance = enabled({"type": "balance_change", "address": address})
    by_log = enabled({"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": "^twice"})
    listening_to_both(stack, relays)

    sent = {memo_transaction(chain, funded, f"twice {n}") for n in range(3)}
    for _ in range(3):
        chain.wait_for_status(chain.airdrop(address, 1_000_000))

    wait_for(lambda: {event["signature"] for event in events(by_log)} == sent, PATIENCE_S, "the lines")
    wait_for(lambda: deltas(by_balance) == [1_000_000] * 3, PATIENCE_S, "the changes")
    assert len(events(by_log)) == 3
    wait_for(lambda: set(Subscription.objects.values_list("events_seen", flat=True)) == {3}, PATIENCE_S, "the counts")


def test_the_loss_of_one_endpoint_is_no_gap(stack: Stack, chain: LocalChain, funded: Keypair, relays: Relays) -> None:
    address = new_address()
    by_balance = enabled({"type": "balance_change", "address": address})
    by_log = enabled({"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": "^one"})
    listening_to_both(stack, relays)
    wait_for(lambda: not Gap.objects.filter(status="open").exists(), PATIENCE_S, "the first gaps to be filled")
    before = Gap.objects.count()

    for n, relay in enumerate(relays):
        relay.cut()
        memo_transaction(chain, funded, f"one {n}")
        chain.airdrop(address, 1_000_000)
        wait_for(
            lambda n=n: len(events(by_log)) == len(events(by_balance)) == n + 1, PATIENCE_S, "what the other tells"
        )
        relay.mend()
        wait_until_both_carry_both()

    assert Gap.objects.count() == before


def test_the_loss_of_both_is_read_back(stack: Stack, chain: LocalChain, funded: Keypair, relays: Relays) -> None:
    address = new_address()
    by_balance = enabled({"type": "balance_change", "address": address})
    by_log = enabled({"type": "program_log", "program_id": MEMO_PROGRAM, "pattern": "^none"})
    listening_to_both(stack, relays)

    for relay in relays:
        relay.cut()
    sent = memo_transaction(chain, funded, "none sees it")
    for _ in range(2):
        chain.wait_for_status(chain.airdrop(address, 1_000_000))
    for relay in relays:
        relay.mend()

    wait_for(lambda: [event["signature"] for event in events(by_log)] == [sent], PATIENCE_S, "the line")
    wait_for(lambda: deltas(by_balance) == [1_000_000] * 2, PATIENCE_S, "the changes")
    wait_for(lambda: not Gap.objects.filter(status="open").exists(), PATIENCE_S, "the gaps to be filled")


def test_what_an_endpoint_will_not_carry_on_one_socket_goes_to_another(stack: Stack, chain: LocalChain) -> None:
    first, second = new_address(), new_address()
    enabled({"type": "balance_change", "address": first})
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the first subscription")

    chain.faults(error={"methods": ["accountSubscribe"], "message": "Maximum number of subscriptions", "next": 1})
    by_second = enabled({"type": "balance_change", "address": second})
    wait_for(covering(2), PATIENCE_S, "the second subscription")
    chain.airdrop(second, 1_000_000)

    wait_for(lambda: deltas(by_second) == [1_000_000], PATIENCE_S, "the change")
    beat = Heartbeat.objects.filter(kind="listener", detail__covered=2).latest("at")
    assert [one["acknowledged"] for one in beat.detail["connections"]] == [1, 1]
