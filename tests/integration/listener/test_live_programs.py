"""Accounts of a program, seen by a real listener process on the local chain."""

from __future__ import annotations

import base64
from typing import Any

import base58
import pytest

from accounts.errors import Refused
from listener import programs
from listener.models import AccountState, Gap
from listener.selectors import totals
from tests.local_chain import LocalChain
from tests.stack import Stack
from tests.waiting import wait_for
from tests.watching import covering, enabled, events, new_address
from workflows.models import Workflow

PATIENCE_S = 15.0


def put(chain: LocalChain, program: str, data: bytes, address: str | None = None, lamports: int = 2_000_000) -> str:
    """Write an account of the program; answers its address."""
    address = address or new_address()
    chain.set_account(address, lamports=lamports, data=base64.b64encode(data).decode(), owner=program)
    return address


def watching(program: str, **more: Any) -> Workflow:
    return enabled({"type": "program_account_change", "program_id": program, **more})


def told(workflow: Workflow) -> list[tuple[str, bytes]]:
    return [(event["account"], base64.b64decode(event["data_base64"])) for event in events(workflow)]


def test_changed_and_new_accounts_that_the_filters_choose_are_events(stack: Stack, chain: LocalChain) -> None:
    program = new_address()
    old, other = put(chain, program, b"A1"), put(chain, program, b"B1")
    chain.warp(3)
    workflow = watching(program, memcmp=[{"offset": 0, "bytes": base58.b58encode(b"A").decode()}], data_size=2)
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")

    put(chain, program, b"A2", old)
    put(chain, program, b"B2", other)
    new = put(chain, program, b"A7")
    put(chain, program, b"A77")

    wait_for(lambda: len(events(workflow)) == 2, PATIENCE_S, "both changes")
    assert sorted(told(workflow)) == sorted([(old, b"A2"), (new, b"A7")])
    by_account = {event["account"]: event for event in events(workflow)}
    assert (by_account[old]["previous_owner"], by_account[new]["previous_owner"]) == (program, "1" * 32)
    assert by_account[new]["lamports_delta"] == 2_000_000


def test_more_filters_than_a_node_takes_are_all_asked(stack: Stack, chain: LocalChain) -> None:
    program = new_address()
    chosen = put(chain, program, b"abcd0")
    chain.warp(3)
    parts = [{"offset": n, "bytes": base58.b58encode(bytes([97 + n])).decode()} for n in range(4)]
    workflow = watching(program, memcmp=parts, data_size=5)
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")

    put(chain, program, b"abcX1")
    put(chain, program, b"abcd1", chosen)

    wait_for(lambda: events(workflow), PATIENCE_S, "the change")
    assert told(workflow) == [(chosen, b"abcd1")]


@pytest.mark.parametrize("trouble", ["dropped sockets", "killed listener"])
def test_what_changed_unseen_is_caught_up_with_once(stack: Stack, chain: LocalChain, trouble: str) -> None:
    program = new_address()
    changed, same, closed = (put(chain, program, b"1") for _ in range(3))
    chain.warp(3)
    workflow = watching(program)
    stack.start("listener")
    wait_for(covering(1), PATIENCE_S, "the subscription")

    if trouble == "killed listener":
        stack.listener.kill()
    else:
        chain.faults(stall_sockets={})
    put(chain, program, b"2", changed)
    new = put(chain, program, b"n")
    put(chain, program, b"", closed, lamports=0)
    chain.warp(3)
    chain.drop_sockets()
    chain.clear_faults()
    if trouble == "killed listener":
        stack.start("listener")

    wait_for(lambda: len(events(workflow)) == 2, PATIENCE_S, "what was missed")
    wait_for(lambda: not totals().open_gaps, PATIENCE_S, "the gap to be filled")
    assert sorted(told(workflow)) == sorted([(changed, b"2"), (new, b"n")])
    assert all(event["catch_up"] for event in events(workflow))
    assert Gap.objects.latest("id").note == "coalesced"
    assert AccountState.objects.get(address=closed).lamports == 0

    put(chain, program, b"3", same)
    put(chain, program, b"1", closed)
    wait_for(lambda: len(events(workflow)) == 4, PATIENCE_S, "what changed afterwards")
    back = events(workflow)[-1] if events(workflow)[-1]["account"] == closed else events(workflow)[-2]
    assert (back["previous_lamports"], back["lamports"]) == (0, 2_000_000)


@pytest.mark.django_db
def test_a_program_with_too_many_accounts_is_refused_with_the_reason(
    chain: LocalChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "MOST_ACCOUNTS", 2)
    program = new_address()
    for _ in range(3):
        put(chain, program, b"1")
    put(chain, program, b"22")
    chain.warp(3)

    with pytest.raises(Refused) as refused:
        watching(program)

    assert refused.value.code == "too_many_accounts"
    assert "4 accounts" in str(refused.value) and "data_size" in str(refused.value)
    assert watching(program, data_size=2).enabled


@pytest.mark.django_db
def test_enabling_writes_down_every_account_and_a_newcomer_is_told_of_nothing_before(chain: LocalChain) -> None:
    program = new_address()
    first = put(chain, program, b"1")
    chain.warp(3)
    early = watching(program)
    put(chain, program, b"2", first)
    second = put(chain, program, b"n")
    chain.warp(3)

    late = watching(program)

    assert sorted(told(early)) == sorted([(first, b"2"), (second, b"n")])
    assert told(late) == []
    assert set(AccountState.objects.values_list("address", flat=True)) == {first, second}
