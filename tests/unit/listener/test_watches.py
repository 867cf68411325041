"""What a trigger watches."""

from __future__ import annotations

from typing import Any

import base58
import pytest

from chain.tx.instructions import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, associated_token_address
from listener.watches import CHAIN_TRIGGERS, METHODS, NAMED_BY, Watch, watches_of
from tests.unit.workflows.definitions import ALICE, BOB, MINT, PROGRAM, SIGNATURE, with_trigger
from workflows.specs.triggers import TRIGGER_TYPES
from workflows.specs.workflow import parse

ABC = base58.b58encode(b"abc").decode()


def watched(**trigger: Any) -> list[tuple[str, str]]:
    found = watches_of(parse(with_trigger(**trigger)).trigger, "confirmed")
    return [(watch.kind, watch.address) for watch in found]


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ({"type": "balance_change", "address": ALICE}, [("balance", ALICE)]),
        ({"type": "account_change", "address": ALICE}, [("account", ALICE)]),
        ({"type": "program_account_change", "program_id": PROGRAM}, [("program", PROGRAM)]),
        ({"type": "program_log", "program_id": PROGRAM, "pattern": "x"}, [("logs", PROGRAM)]),
        ({"type": "token_receipt", "token_account": BOB, "mint": MINT}, [("logs", BOB)]),
        ({"type": "transaction_status", "account": ALICE}, [("logs", ALICE)]),
        ({"type": "transaction_status", "program_id": PROGRAM}, [("logs", PROGRAM)]),
        ({"type": "transaction_status", "signature": SIGNATURE}, [("signature", SIGNATURE)]),
        ({"type": "nft_receipt", "wallet": ALICE}, [("token_accounts", ALICE), ("token_2022_accounts", ALICE)]),
        ({"type": "webhook"}, []),
        ({"type": "schedule", "cron": "0 9 * * *"}, []),
    ],
)
def test_a_trigger_watches(trigger: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert watched(**trigger) == expected


def test_tokens_for_a_wallet_are_watched_for_at_its_associated_account_of_either_program() -> None:
    accounts = [associated_token_address(ALICE, MINT, program) for program in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)]

    assert watched(type="token_receipt", wallet=ALICE, mint=MINT) == [("logs", account) for account in accounts]


def test_every_trigger_of_the_chain_and_every_kind_is_known() -> None:
    assert set(TRIGGER_TYPES) - {"schedule", "webhook", "manual"} == CHAIN_TRIGGERS
    assert set(METHODS) == set(NAMED_BY)
    assert {trigger_type for named in NAMED_BY.values() for trigger_type, _ in named} == CHAIN_TRIGGERS


def test_a_node_is_asked_for_as_many_filters_as_it_takes() -> None:
    memcmp = tuple((offset, ABC) for offset in range(4))
    _, config = Watch("program", PROGRAM, "confirmed", memcmp, 10).params

    assert len(config["filters"]) == 4
    assert config["filters"][0] == {"dataSize": 10}


def test_filters_in_another_order_are_the_same_watch() -> None:
    parts = [{"offset": 0, "bytes": ABC}, {"offset": 5, "bytes": ABC}]
    one, other = (
        watches_of(
            parse(with_trigger(type="program_account_change", program_id=PROGRAM, memcmp=order)).trigger, "confirmed"
        )
        for order in (parts, parts[::-1])
    )

    assert one == other


def test_a_filter_that_only_we_ask_makes_another_watch() -> None:
    memcmp = tuple((offset, ABC) for offset in range(4))
    last = base58.b58encode(b"xyz").decode()

    assert (
        len(
            {
                Watch("program", PROGRAM, "confirmed", memcmp, 10).digest,
                Watch("program", PROGRAM, "confirmed", (*memcmp[:3], (3, last)), 10).digest,
                Watch("program", PROGRAM, "confirmed", memcmp).digest,
            }
        )
        == 3
    )


@pytest.mark.parametrize(
    ("owner", "data", "expected"),
    [
        (PROGRAM, b"1abc", True),
        (PROGRAM, b"1abd", False),
        (PROGRAM, b"1abc5", False),
        (PROGRAM, b"", False),
        (ALICE, b"1abc", False),
    ],
)
def test_an_account_is_chosen_by_owner_size_and_bytes(owner: str, data: bytes, expected: bool) -> None:
    assert Watch("program", PROGRAM, "confirmed", ((1, ABC),), 4).chooses(owner, data) is expected


def test_a_wallets_accounts_are_asked_for_without_their_data() -> None:
    program, config = Watch("token_accounts", ALICE, "confirmed").params

    assert program == TOKEN_PROGRAM
    assert config["filters"] == [{"dataSize": 165}, {"memcmp": {"offset": 32, "bytes": ALICE}}]
    assert config["dataSlice"] == {"offset": 0, "length": 0}
