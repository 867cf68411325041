"""Recorded transactions against triggers: what is told to match is what the listener takes; the rest has a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from chain.decode.transaction import read_transaction
from listener.matches import candidates, of_transaction
from listener.observations import FetchedTransaction
from listener.reasons import alone, judge_transaction, merged
from listener.registry import Wanted
from listener.watches import watches_of
from tests.unit.chain.conftest import NAMES, Recording
from workflows.matching import mismatch
from workflows.specs.workflow import parse

ELSEWHERE = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"


def wanted(trigger: dict[str, Any]) -> Wanted:
    spec = parse({"schema": 1, "trigger": trigger, "actions": [], "notifications": []})
    watches = watches_of(spec.trigger, "confirmed")
    return Wanted(uuid4(), uuid4(), 1, -1, False, "confirmed", watches, spec.trigger)


def recorded(name: str) -> FetchedTransaction:
    return FetchedTransaction(0, read_transaction(Recording(name).transaction, with_instructions=True), {}, 0.0)


def triggers_about(fetched: FetchedTransaction) -> Iterator[dict[str, Any]]:
    """Triggers that look at something in the transaction, in ways that match and that do not."""
    transaction = fetched.transaction
    for account in transaction.accounts[:6]:
        for status in ("any", "success", "failed"):
            yield {"type": "transaction_status", "account": account, "status": status}
        for pattern in (".", "Instruction: (Buy|Transfer)", "no program says this"):
            for more in ({}, {"include_failed": True}, {"on_truncated": "ignore"}):
                yield {"type": "program_log", "program_id": account, "pattern": pattern, **more}
    for delta in transaction.tokens:
        for mint in (delta.mint, ELSEWHERE):
            for least in (1, max(1, abs(delta.amount)), abs(delta.amount) + 1):
                place = {"type": "token_receipt", "mint": mint, "min_amount": least}
                yield {**place, "token_account": delta.account}
                yield {**place, "wallet": delta.owner}
        yield {"type": "nft_receipt", "wallet": delta.owner}
        yield {"type": "nft_receipt", "wallet": delta.owner, "collection": ELSEWHERE}
    yield {"type": "transaction_status", "signature": transaction.signature}


@pytest.mark.parametrize("name", NAMES)
def test_what_matches_is_what_the_listener_takes_and_all_else_has_a_reason(name: str) -> None:
    fetched = recorded(name)
    for trigger in triggers_about(fetched):
        member = wanted(trigger)
        for watch in member.watches:
            audience = alone(member, watch)
            findings = judge_transaction(fetched, audience)
            if findings.reason is not None and findings.reason.code == "not_in_transaction":
                assert watch.address not in fetched.transaction.accounts
                continue
            taken = [event for _, event in of_transaction(fetched, audience)]
            assert findings.matched == taken
            assert (findings.reason is None) is bool(taken)


@pytest.mark.parametrize("name", NAMES)
def test_a_reason_is_never_given_for_what_matches_nor_kept_from_what_does_not(name: str) -> None:
    fetched = recorded(name)
    for trigger in triggers_about(fetched):
        member = wanted(trigger)
        for watch in member.watches:
            taken = {event.key for _, event in of_transaction(fetched, alone(member, watch))}
            possible = list(candidates(fetched, alone(member, watch)))
            reasons = {event.key: mismatch(member.trigger, event) for event in possible}
            is_asked = may_be_something(fetched, member)
            assert {key for key, why in reasons.items() if why is None and is_asked} == taken & reasons.keys()


def may_be_something(fetched: FetchedTransaction, member: Wanted) -> bool:
    """Whether a transaction that ended so can be anything to the trigger."""
    succeeded = fetched.transaction.err is None
    return succeeded or member.trigger.type in ("transaction_status", "program_log")


def test_two_watches_of_one_trigger_are_told_as_one() -> None:
    fetched = recorded("sol-transfer")
    member = wanted({"type": "token_receipt", "wallet": ELSEWHERE, "mint": ELSEWHERE})

    parts = [(watch, judge_transaction(fetched, alone(member, watch))) for watch in member.watches]

    reason = merged(parts).reason
    assert reason is not None
    assert reason.code == "not_in_transaction"
    assert all(watch.address in reason.detail for watch in member.watches)


def test_a_cut_log_is_told_as_the_event_that_it_makes() -> None:
    fetched = recorded("zeta-log-truncated")
    program = next(line.split()[1] for line in fetched.transaction.logs if line.endswith("invoke [1]"))
    member = wanted({"type": "program_log", "program_id": program, "pattern": "no program says this"})

    findings = judge_transaction(fetched, alone(member, member.watches[0]))

    assert findings.reason is None
    assert [event.key.index for event in findings.matched] == ["log.truncated"]
