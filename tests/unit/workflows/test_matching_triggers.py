"""Does an event match a trigger: every type, each key."""

from __future__ import annotations

from typing import Any

import base58
import pytest
from msgspec.structs import replace

from chain.events import Event, EventKey, log_event, manual_event, state_event
from chain.types import SYSTEM_PROGRAM, AccountSample
from tests.unit.workflows.definitions import ALICE, BOB, ID, MINT, PROGRAM, SIGNATURE, with_trigger
from workflows.matching import matches
from workflows.specs.sample_events import sample_event
from workflows.specs.triggers import Trigger
from workflows.specs.workflow import parse


def trigger(**keys: Any) -> Trigger:
    return parse(with_trigger(**keys)).trigger


def balance(before: int, after: int, address: str = ALICE) -> Event:
    return state_event("balance_change", address, AccountSample(1, before), AccountSample(2, after))


@pytest.mark.parametrize(
    ("keys", "before", "after", "expected"),
    [
        ({}, 5, 6, True),
        ({}, 6, 5, True),
        ({"direction": "increase"}, 5, 6, True),
        ({"direction": "increase"}, 6, 5, False),
        ({"direction": "decrease"}, 6, 5, True),
        ({"direction": "decrease"}, 5, 6, False),
        ({"min_change": 2}, 5, 6, False),
        ({"min_change": 2}, 5, 7, True),
        ({"min_change": 2, "direction": "decrease"}, 7, 5, True),
        ({"min_change": 2**63}, 0, 2**64 - 1, True),
    ],
)
def test_a_balance_matches_by_direction_and_size(keys: dict[str, Any], before: int, after: int, expected: bool) -> None:
    wanted = trigger(type="balance_change", address=ALICE, **keys)
    assert matches(wanted, balance(before, after)) is expected
    assert not matches(wanted, balance(before, after, BOB))


@pytest.mark.parametrize(
    ("watch", "owner", "data", "expected"),
    [
        ("any", SYSTEM_PROGRAM, b"old", True),
        ("data", SYSTEM_PROGRAM, b"new", True),
        ("data", PROGRAM, b"old", False),
        ("owner", PROGRAM, b"old", True),
        ("owner", SYSTEM_PROGRAM, b"new", False),
    ],
)
def test_an_account_matches_by_what_is_watched(watch: str, owner: str, data: bytes, expected: bool) -> None:
    before = AccountSample.of(1, 5, SYSTEM_PROGRAM, b"old")
    event = state_event("account_change", ALICE, before, AccountSample.of(2, 6, owner, data))
    assert matches(trigger(type="account_change", address=ALICE, watch=watch), event) is expected
    assert not matches(trigger(type="account_change", address=BOB, watch=watch), event)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, True),
        ({"data_size": 4}, True),
        ({"data_size": 5}, False),
        ({"memcmp": [{"offset": 1, "bytes": base58.b58encode(b"bc").decode()}]}, True),
        ({"memcmp": [{"offset": 0, "bytes": base58.b58encode(b"bc").decode()}]}, False),
        ({"memcmp": [{"offset": 3, "bytes": base58.b58encode(b"de").decode()}]}, False),
        ({"memcmp": [{"offset": 99, "bytes": base58.b58encode(b"a").decode()}]}, False),
    ],
)
def test_a_programs_account_matches_by_its_bytes(keys: dict[str, Any], expected: bool) -> None:
    before = AccountSample.of(1, 5, PROGRAM, b"")
    event = state_event("program_account_change", ALICE, before, AccountSample.of(2, 5, PROGRAM, b"abcd"))
    assert matches(trigger(type="program_account_change", program_id=PROGRAM, **keys), event) is expected
    assert not matches(trigger(type="program_account_change", program_id=BOB, **keys), event)


def token(**fields: Any) -> Event:
    everything = {"wallet": ALICE, "token_account": BOB, "mint": MINT, "decimals": 6, "amount": 9, "amount_delta": 5}
    return Event("token_receipt", EventKey("", f"{BOB}:s", "0"), 1, "s", BOB, {**everything, **fields})


@pytest.mark.parametrize(
    ("keys", "fields", "expected"),
    [
        ({"wallet": ALICE}, {}, True),
        ({"wallet": BOB}, {}, False),
        ({"token_account": BOB}, {}, True),
        ({"token_account": ALICE}, {}, False),
        ({"wallet": ALICE}, {"mint": PROGRAM}, False),
        ({"wallet": ALICE, "min_amount": 5}, {}, True),
        ({"wallet": ALICE, "min_amount": 6}, {}, False),
        ({"wallet": ALICE, "min_amount": "0.000005"}, {}, True),
        ({"wallet": ALICE, "min_amount": "0.000006"}, {}, False),
        ({"wallet": ALICE, "min_amount": "0.000005"}, {"decimals": 2}, False),
    ],
)
def test_a_receipt_matches_by_place_mint_and_amount(
    keys: dict[str, Any], fields: dict[str, Any], expected: bool
) -> None:
    assert matches(trigger(type="token_receipt", mint=MINT, **keys), token(**fields)) is expected


@pytest.mark.parametrize(
    ("keys", "collection", "verified", "expected"),
    [
        ({}, None, False, True),
        ({"collection": MINT}, MINT, True, True),
        ({"collection": MINT}, MINT, False, False),
        ({"collection": MINT, "verified_only": False}, MINT, False, True),
        ({"collection": MINT}, BOB, True, False),
        ({"collection": MINT}, None, False, False),
    ],
)
def test_an_nft_matches_by_its_collection_which_must_have_verified_it(
    keys: dict[str, Any], collection: str | None, verified: bool, expected: bool
) -> None:
    fields = {**token().fields, "collection": collection, "collection_verified": verified}
    event = replace(token(), type="nft_receipt", fields=fields)
    assert matches(trigger(type="nft_receipt", wallet=ALICE, **keys), event) is expected
    assert not matches(trigger(type="nft_receipt", wallet=BOB, **keys), event)


def log(**changes: Any) -> Event:
    said = {"logs": ["a", "b"], "logs_truncated": False, "line": "Swapped 5 for 7", **changes}
    return log_event(PROGRAM, SIGNATURE, 5, "log.0", **said)


@pytest.mark.parametrize(
    ("keys", "changes", "expected"),
    [
        ({"pattern": r"^Swapped \d+"}, {}, True),
        ({"pattern": "^5"}, {}, False),
        ({"pattern": "5"}, {"line": None}, False),
        ({"pattern": "5"}, {"line": None, "logs_truncated": True}, False),
        ({"pattern": "5"}, {"logs_truncated": True}, True),
        ({"pattern": "5"}, {"error": {"InstructionError": [0, "Custom"]}}, False),
        ({"pattern": "5", "include_failed": True}, {"error": {"InstructionError": [0, "Custom"]}}, True),
        ({"event": "Swapped", "idl": ID}, {"line": None, "name": "Swapped", "data": {}}, True),
        ({"event": "Swapped", "idl": ID}, {"line": None, "name": "Paid", "data": {}}, False),
        ({"event": "Swapped", "idl": ID}, {}, False),
    ],
)
def test_a_log_matches_by_its_line_or_by_the_name_of_its_event(
    keys: dict[str, Any], changes: dict[str, Any], expected: bool
) -> None:
    assert matches(trigger(type="program_log", program_id=PROGRAM, **keys), log(**changes)) is expected
    assert not matches(trigger(type="program_log", program_id=BOB, **keys), log(**changes))


@pytest.mark.parametrize(
    ("keys", "status", "expected"),
    [
        ({"signature": SIGNATURE}, "success", True),
        ({"account": ALICE}, "success", True),
        ({"program_id": ALICE}, "success", True),
        ({"account": BOB}, "success", False),
        ({"account": ALICE, "status": "failed"}, "success", False),
        ({"account": ALICE, "status": "failed"}, "failed", True),
        ({"account": ALICE, "status": "success"}, "failed", False),
    ],
)
def test_a_transaction_matches_by_its_subject_and_its_end(keys: dict[str, Any], status: str, expected: bool) -> None:
    fields = {"success": status == "success", "error": None, "fee_lamports": 5000, "accounts": [ALICE]}
    event = Event("transaction_status", EventKey("", f"{ALICE}:{SIGNATURE}", "0"), 5, SIGNATURE, ALICE, fields)
    assert matches(trigger(type="transaction_status", **keys), event) is expected


def test_a_trigger_matches_no_event_of_another_type() -> None:
    every = [
        trigger(type="balance_change", address=ALICE),
        trigger(type="manual"),
        trigger(type="webhook"),
        trigger(type="schedule", cron="* * * * *"),
    ]
    for wanted in every:
        for other in every:
            assert matches(wanted, sample_event(other)) is (wanted is other)
    assert matches(trigger(type="manual"), manual_event("key", {}))
