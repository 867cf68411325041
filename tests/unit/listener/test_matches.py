"""Observations and audiences -> events of workflows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from chain.decode.idl import parse_idl
from chain.decode.metadata import Collection
from chain.decode.transaction import read_transaction
from chain.events import Event, EventKey
from chain.types import AccountSample
from listener.matches import of_logs, of_transaction, of_transition
from listener.needs import Needs
from listener.observations import FetchedTransaction, TransactionLogs
from listener.program_events import Emitter
from listener.registry import Audience, Wanted
from listener.transitions import Transition
from listener.watches import Watch
from tests.unit.chain.conftest import Recording
from workflows.specs.workflow import parse

PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
OTHER = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
SIGNATURE = "5" * 87


def wanted(trigger: dict[str, Any], enabled_at_slot: int = 0) -> Wanted:
    spec = parse({"schema": 1, "trigger": trigger, "actions": [], "notifications": []})
    watch = Watch("logs" if trigger["type"] == "program_log" else "balance", PROGRAM, "confirmed")
    return Wanted(uuid4(), uuid4(), 1, enabled_at_slot, False, "confirmed", (watch,), spec.trigger)


def audience(*members: Wanted) -> Audience:
    return Audience(1, 0, members[0].watches[0], members)


def by_pattern(pattern: str, enabled_at_slot: int = 0, **more: Any) -> Wanted:
    return wanted({"type": "program_log", "program_id": PROGRAM, "pattern": pattern, **more}, enabled_at_slot)


def written(*lines: str, err: Any = None, slot: int = 10) -> TransactionLogs:
    return TransactionLogs(1, slot, SIGNATURE, err, lines, 0.0)


INVOKED = f"Program {PROGRAM} invoke [1]"
DONE = f"Program {PROGRAM} success"


def indexes(seen: TransactionLogs, member: Wanted) -> list[str]:
    return [event.key.index for _, event in of_logs(seen, audience(member))]


def test_each_matching_line_is_an_event_of_its_own() -> None:
    seen = written(INVOKED, "Program log: paid 1", "Program log: nothing", "Program log: paid 2", DONE)

    assert indexes(seen, by_pattern("^paid")) == ["log.0", "log.2"]


@pytest.mark.parametrize("pattern", ["^Program log: paid [0-9]$", "Program log: paid", "^paid [0-9]$"])
def test_a_pattern_may_begin_as_lines_begin_in_a_nodes_log(pattern: str) -> None:
    seen = written(INVOKED, "Program log: paid 1", "Program log: not paid 2", DONE)

    assert indexes(seen, by_pattern(pattern)) == ["log.0"]


def test_a_line_of_another_program_never_matches() -> None:
    seen = written(INVOKED, f"Program {OTHER} invoke [2]", "Program log: paid", f"Program {OTHER} success", DONE)

    assert indexes(seen, by_pattern("paid")) == []


def test_a_program_cannot_speak_as_another_by_what_it_writes() -> None:
    forged = f"Program log: Program {PROGRAM} invoke [1]"
    seen = written(f"Program {OTHER} invoke [1]", forged, "Program log: paid", f"Program {OTHER} success")

    assert indexes(seen, by_pattern("paid")) == []


def test_a_failed_transaction_matches_only_where_it_is_asked_for() -> None:
    seen = written(INVOKED, "Program log: paid", err={"InstructionError": [0, "Custom"]})

    assert indexes(seen, by_pattern("paid")) == []
    assert indexes(seen, by_pattern("paid", include_failed=True)) == ["log.0"]


def test_what_happened_up_to_the_enabling_never_matches() -> None:
    seen = written(INVOKED, "Program log: paid", DONE, slot=10)

    assert indexes(seen, by_pattern("paid", enabled_at_slot=10)) == []
    assert indexes(seen, by_pattern("paid", enabled_at_slot=9)) == ["log.0"]


def test_a_cut_log_without_a_match_is_one_event_that_says_so() -> None:
    (found,) = of_logs(written(INVOKED, "Program log: a", "Log truncated"), audience(by_pattern("paid")))

    _, event = found
    assert (event.key.index, event.fields["line"], event.fields["logs_truncated"]) == ("log.truncated", None, True)


def test_a_cut_log_matches_by_the_lines_that_are_left() -> None:
    seen = written(INVOKED, "Program log: paid", "Log truncated")

    assert indexes(seen, by_pattern("paid")) == ["log.0"]


def test_a_cut_log_can_be_ignored() -> None:
    seen = written(INVOKED, "Program log: a", "Log truncated")

    assert indexes(seen, by_pattern("paid", on_truncated="ignore")) == []


def test_a_transition_carries_what_was_before() -> None:
    member = wanted({"type": "balance_change", "address": PROGRAM})
    change = Transition(1, PROGRAM, AccountSample(5, 100), AccountSample(9, 70), True, 0.0)

    ((_, event),) = of_transition(change, audience(member))

    assert event.key.slot == "9"
    assert (event.fields["previous_lamports"], event.fields["lamports_delta"], event.fields["catch_up"]) == (
        100,
        -30,
        True,
    )


def test_a_transition_at_the_slot_of_the_enabling_is_before_it() -> None:
    member = wanted({"type": "balance_change", "address": PROGRAM}, enabled_at_slot=9)
    change = Transition(1, PROGRAM, AccountSample(5, 100), AccountSample(9, 70), False, 0.0)

    assert list(of_transition(change, audience(member))) == []


def test_a_transition_that_is_too_small_is_not_wanted() -> None:
    member = wanted({"type": "balance_change", "address": PROGRAM, "min_change": 31})
    change = Transition(1, PROGRAM, AccountSample(5, 100), AccountSample(9, 70), False, 0.0)

    assert list(of_transition(change, audience(member))) == []


NFT_WALLET = "54r6W445JsjDf5UGzmVtcczsPpgg3B3J16USuNcu1EY"
NFT_ACCOUNT = "ESJhdj3J3BX9s4VPRqZ47gqhjVEdqmfWBLNe7ZDSZCEJ"
NFT_MINT = "HFQ4rcivJ4PnY5EWDFJigoDACNEEUfFP2eexTKCJ4VzF"


def fetched(name: str, **collections: Collection | None) -> FetchedTransaction:
    transaction = read_transaction(Recording(name).transaction, with_instructions=True)
    return FetchedTransaction(1, transaction, collections, 0.0)


def told(seen: FetchedTransaction, watch: Watch, member: Wanted) -> list[Event]:
    return [event for _, event in of_transaction(seen, Audience(1, 0, watch, (member,)))]


def test_a_recorded_nft_arrives_once_and_leaves_no_event_behind() -> None:
    seen = fetched("nft-transfer", **{NFT_MINT: Collection(OTHER, verified=True)})
    member = wanted({"type": "nft_receipt", "wallet": NFT_WALLET, "collection": OTHER})

    (event,) = told(seen, Watch("token_accounts", NFT_WALLET, "confirmed"), member)

    signature = seen.transaction.signature
    assert event.key == EventKey("", f"{NFT_ACCOUNT}:{signature}", "0")
    assert (event.slot, event.signature, event.account) == (371578801, signature, NFT_ACCOUNT)
    assert event.fields == {
        "wallet": NFT_WALLET,
        "token_account": NFT_ACCOUNT,
        "mint": NFT_MINT,
        "decimals": 0,
        "amount": 1,
        "amount_delta": 1,
        "collection": OTHER,
        "collection_verified": True,
    }
    sender = "9rJ4QzDLYm5VARnuWcMFMzB4Nr1hKprGQWb8LTfsU6Q2"
    giver = wanted({"type": "nft_receipt", "wallet": sender})
    assert told(seen, Watch("token_accounts", sender, "confirmed"), giver) == []


def test_an_nft_without_metadata_has_no_collection() -> None:
    member = wanted({"type": "nft_receipt", "wallet": NFT_WALLET})

    (event,) = told(fetched("nft-transfer"), Watch("token_accounts", NFT_WALLET, "confirmed"), member)

    assert (event.fields["collection"], event.fields["collection_verified"]) == (None, False)


def test_recorded_tokens_arrive_at_their_account_only() -> None:
    expected = [one for one in Recording("spl-transfer-checked").expected["tokenDeltas"] if int(one["delta"]) > 0]
    (arrived,) = expected
    seen = fetched("spl-transfer-checked")
    keys = {"type": "token_receipt", "mint": arrived["mint"]}
    member = wanted({**keys, "token_account": arrived["account"]})

    (event,) = told(seen, Watch("logs", arrived["account"], "confirmed"), member)

    assert (event.fields["amount_delta"], event.fields["wallet"]) == (int(arrived["delta"]), arrived["owner"])
    by_wallet = wanted({**keys, "wallet": arrived["owner"]})
    assert told(seen, Watch("logs", arrived["account"], "confirmed"), by_wallet) == [event]
    more = wanted({**keys, "token_account": arrived["account"], "min_amount": int(arrived["delta"]) + 1})
    assert told(seen, Watch("logs", arrived["account"], "confirmed"), more) == []
    assert told(seen, Watch("logs", OTHER, "confirmed"), member) == []


@pytest.mark.parametrize(
    ("name", "status", "expected"),
    [
        ("sol-transfer", "any", [True]),
        ("sol-transfer", "success", [True]),
        ("sol-transfer", "failed", []),
        ("rent-failed", "any", [False]),
        ("rent-failed", "failed", [False]),
        ("rent-failed", "success", []),
    ],
)
def test_a_recorded_transactions_outcome_is_told_to_those_who_asked(
    name: str, status: str, expected: list[bool]
) -> None:
    seen, member = fetched(name), wanted({"type": "transaction_status", "account": PROGRAM, "status": status})

    events = told(seen, Watch("logs", PROGRAM, "confirmed"), member)

    assert [event.fields["success"] for event in events] == expected
    for event in events:
        assert event.key == EventKey("", f"{PROGRAM}:{seen.transaction.signature}", "0")
        assert event.fields["fee_lamports"] == int(Recording(name).expected["feeLamports"])
        assert (event.fields["error"] is None) is event.fields["success"]


def test_a_transaction_watched_by_its_signature_has_an_empty_address() -> None:
    seen = fetched("sol-transfer")
    signature = seen.transaction.signature
    member = wanted({"type": "transaction_status", "signature": signature})

    (event,) = told(seen, Watch("signature", signature, "confirmed"), member)

    assert (event.key.account, event.account) == (f":{signature}", None)


def test_a_transaction_at_the_slot_of_the_enabling_is_before_it() -> None:
    seen = fetched("sol-transfer")
    watch = Watch("logs", PROGRAM, "confirmed")
    trigger = {"type": "transaction_status", "account": PROGRAM}

    assert told(seen, watch, wanted(trigger, seen.transaction.slot)) == []
    assert len(told(seen, watch, wanted(trigger, seen.transaction.slot - 1))) == 1


def test_lines_that_are_read_back_match_as_those_that_were_seen_live() -> None:
    seen = fetched("zeta-log-truncated")
    program = "ZETAxsqBRek56DhiGXrn75yj2NHU3aYUnxvHXpkf3aD"
    member = wanted({"type": "program_log", "program_id": program, "pattern": "."})
    watch = Watch("logs", program, "confirmed")
    transaction = seen.transaction
    live = TransactionLogs(1, transaction.slot, transaction.signature, transaction.err, transaction.logs, 0.0)

    read_back = told(seen, watch, member)

    assert read_back == [event for _, event in of_logs(live, Audience(1, 0, watch, (member,)))]
    assert len(read_back) > 10


@pytest.mark.parametrize(
    ("trigger", "err", "expected"),
    [
        ({"type": "token_receipt", "wallet": PROGRAM, "mint": OTHER}, None, True),
        ({"type": "token_receipt", "wallet": PROGRAM, "mint": OTHER}, "Failed", False),
        ({"type": "nft_receipt", "wallet": PROGRAM}, "Failed", False),
        ({"type": "transaction_status", "account": PROGRAM}, "Failed", True),
        ({"type": "transaction_status", "account": PROGRAM, "status": "success"}, "Failed", False),
        ({"type": "transaction_status", "account": PROGRAM, "status": "failed"}, None, False),
        ({"type": "program_log", "program_id": PROGRAM, "pattern": "x"}, None, False),
        ({"type": "program_log", "program_id": PROGRAM, "pattern": "x", "include_failed": True}, "Failed", False),
    ],
)
def test_a_transaction_is_fetched_only_for_those_who_need_more_than_its_logs(
    trigger: dict[str, Any], err: Any, expected: bool
) -> None:
    assert Needs.of([wanted(trigger)]).transaction(err, (INVOKED, DONE)) is expected


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        ((INVOKED, DONE), False),
        ((INVOKED, "Log truncated"), True),
        ((INVOKED, f"Program {PROGRAM} invoke [2]", DONE, DONE), True),
        ((INVOKED, DONE, INVOKED, DONE), False),
    ],
)
def test_an_idl_event_needs_the_transaction_where_its_logs_cannot_say_it_all(
    logs: tuple[str, ...], expected: bool
) -> None:
    trigger = {"type": "program_log", "program_id": PROGRAM, "event": "Paid", "idl": str(uuid4())}
    empty = parse_idl(
        {"instructions": [], "events": [], "metadata": {"name": "x"}, "version": "0", "name": "x"}, PROGRAM
    )
    member = replace(wanted(trigger), emitter=Emitter(empty))

    assert Needs.of([member]).transaction(None, logs) is expected


def test_an_idl_that_cannot_be_read_costs_nothing_and_matches_nothing() -> None:
    trigger = {"type": "program_log", "program_id": PROGRAM, "event": "Paid", "idl": str(uuid4())}
    member = wanted(trigger)

    assert not Needs.of([member]).transaction(None, (INVOKED, "Log truncated"))
    assert indexes(written(INVOKED, "Program data: AQU=", "Log truncated"), member) == []
    assert told(fetched("zeta-log-truncated"), Watch("logs", PROGRAM, "confirmed"), member) == []
