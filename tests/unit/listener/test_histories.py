"""Listing what happened to an address, to a wallet's token accounts, and to one signature."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chain.errors import NodeBehind, Unavailable
from chain.tx.instructions import TOKEN_PROGRAM
from chain.types import SignatureInfo, SignatureStatus
from listener import histories
from listener.histories import History, account_signatures, history_of, signatures_between
from listener.watches import Watch


class Slots:
    """An RPC client whose one address has a transaction in each slot from 1 to 100, two in slot 50."""

    def __init__(self) -> None:
        slots = sorted([*range(1, 101), 50], reverse=True)
        self.rows = [
            SignatureInfo(f"s{place}", slot, None, None, None, "confirmed") for place, slot in enumerate(slots)
        ]
        self.asked: list[dict[str, Any]] = []

    async def signatures_for_address(self, address: str, **options: Any) -> list[SignatureInfo]:
        self.asked.append(options)
        before = options["before"]
        start = 0 if before is None else [row.signature for row in self.rows].index(before) + 1
        return self.rows[start : start + options["limit"]]


def listed(history: Slots, first: int, last: int, most: int = 1000) -> tuple[list[int], bool]:
    found, is_whole = asyncio.run(signatures_between(history, "address", "confirmed", first, last, most=most))  # type: ignore[arg-type]
    return [info.slot for info in found], is_whole


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "SIGNATURES_PER_PAGE", 7)


@pytest.mark.parametrize(("first", "last"), [(40, 60), (1, 100), (95, 200), (50, 50), (0, 3)])
def test_every_transaction_of_the_slots_is_listed_oldest_first(first: int, last: int) -> None:
    expected = [slot for slot in sorted([*range(1, 101), 50]) if first <= slot <= last]

    assert listed(Slots(), first, last) == (expected, True)


def test_paging_ends_with_the_first_page_that_is_older() -> None:
    history = Slots()
    listed(history, 90, 100)

    assert len(history.asked) == 2


def test_each_page_comes_from_a_node_that_has_seen_the_last_slot() -> None:
    history = Slots()
    listed(history, 80, 100)

    assert {options["min_context_slot"] for options in history.asked} == {100}


def test_of_too_many_the_newest_are_given_and_it_says_so() -> None:
    assert listed(Slots(), 1, 100, most=3) == ([98, 99, 100], False)


WALLET = "4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T"


def info(signature: str, slot: int) -> SignatureInfo:
    return SignatureInfo(signature, slot, None, None, None, "confirmed")


class Wallet:
    """An RPC client that knows the histories of a wallet and of its token accounts."""

    def __init__(self, histories: dict[str, list[SignatureInfo]], accounts: list[str], named: dict[str, str]) -> None:
        self.histories, self.accounts, self.named = histories, accounts, named

    async def signatures_for_address(self, address: str, **options: Any) -> list[SignatureInfo]:
        rows = sorted(self.histories[address], key=lambda row: -row.slot)
        before = options.get("before")
        start = 0 if before is None else [row.signature for row in rows].index(before) + 1
        return rows[start : start + options["limit"]]

    async def token_accounts(self, wallet: str, program: str, **options: Any) -> list[str]:
        return self.accounts

    async def transactions(self, signatures: list[str], commitment: str) -> list[dict[str, Any] | None]:
        return [self._transaction(self.named.get(signature)) for signature in signatures]

    def _transaction(self, account: str | None) -> dict[str, Any]:
        balance = {
            "accountIndex": 1,
            "mint": "M",
            "owner": WALLET,
            "programId": TOKEN_PROGRAM,
            "uiTokenAmount": {"amount": "1", "decimals": 0},
        }
        return {
            "slot": 20,
            "transaction": {"signatures": ["s"], "message": {"accountKeys": [WALLET, account or "x"]}},
            "meta": {
                "err": None,
                "fee": 5000,
                "preBalances": [5000, 1],
                "postBalances": [0, 1],
                "preTokenBalances": [balance] if account else [],
                "postTokenBalances": [],
            },
        }


def wallet_history(rpc: Wallet, most: int = 1000) -> History:
    watch = Watch("token_accounts", WALLET, "confirmed")
    return asyncio.run(history_of(rpc, watch, 10, 100, most=most))  # type: ignore[arg-type]


def test_a_wallets_history_is_its_own_and_that_of_each_of_its_accounts_once_in_order() -> None:
    both = info("both", 30)
    histories_of = {WALLET: [info("own", 20), both], "open": [both, info("received", 25), info("old", 5)]}

    found = wallet_history(Wallet(histories_of, ["open"], {}))

    assert [one.signature for one in found.infos] == ["own", "received", "both"]
    assert found.lost_before is None


def test_an_account_that_is_closed_by_now_is_found_by_the_wallets_own_transactions() -> None:
    histories_of = {WALLET: [info("close", 40)], "closed": [info("received", 30), info("close", 40)]}

    found = wallet_history(Wallet(histories_of, [], {"close": "closed"}))

    assert [one.signature for one in found.infos] == ["received", "close"]


def test_of_too_much_in_one_account_everything_is_lost_that_is_older_than_what_is_left_of_it() -> None:
    histories_of = {WALLET: [info("own", 20)], "busy": [info(f"s{slot}", slot) for slot in range(50, 60)]}

    found = wallet_history(Wallet(histories_of, ["busy"], {}), most=4)

    assert [one.slot for one in found.infos] == [56, 57, 58, 59]
    assert (found.lost_before, found.note) == (56, "more than 4 transactions")


def test_a_wallet_with_too_many_accounts_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "MOST_TOKEN_ACCOUNTS", 1)

    found = wallet_history(Wallet({WALLET: [info("own", 20)]}, ["a", "b"], {}))

    assert (found.lost_before, found.note) == (100, "more than 1 token accounts")


class Statuses:
    """An RPC client that knows one status."""

    def __init__(self, slot: int, status: SignatureStatus | None) -> None:
        self.answer = (slot, status)

    async def signature_status(self, signature: str) -> tuple[int, SignatureStatus | None]:
        return self.answer


def signature_history(slot: int, status: SignatureStatus | None) -> list[int]:
    watch = Watch("signature", "5" * 87, "confirmed")
    found = asyncio.run(history_of(Statuses(slot, status), watch, 10, 100, most=1))  # type: ignore[arg-type]
    return [one.slot for one in found.infos]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, []),
        (SignatureStatus(50, None, "confirmed"), [50]),
        (SignatureStatus(120, None, "finalized"), [120]),
        (SignatureStatus(50, None, "processed"), []),
        (SignatureStatus(9, None, "finalized"), []),
    ],
)
def test_a_signature_has_happened_when_it_has_reached_the_commitment(
    status: SignatureStatus | None, expected: list[int]
) -> None:
    assert signature_history(130, status) == expected


def test_a_node_that_is_not_as_far_as_the_gap_cannot_say_that_nothing_happened() -> None:
    with pytest.raises(NodeBehind):
        signature_history(99, None)


def recent(rows: list[SignatureInfo], slot: int, *, is_patient: bool) -> list[int]:
    rpc = Wallet({WALLET: rows}, [], {})
    listing = account_signatures(rpc, WALLET, "confirmed", slot, lag_slots=32, is_patient=is_patient)  # type: ignore[arg-type]
    return [one.slot for one in asyncio.run(listing)]


def test_what_a_notification_is_about_are_the_transactions_just_before_its_slot_and_later() -> None:
    assert recent([info("a", 10), info("b", 90), info("c", 100), info("d", 101)], 100, is_patient=True) == [
        90,
        100,
        101,
    ]


def test_a_list_without_the_notifications_own_slot_may_not_be_complete_yet() -> None:
    with pytest.raises(Unavailable):
        recent([info("b", 90)], 100, is_patient=True)
    assert recent([info("b", 90)], 100, is_patient=False) == [90]
    with pytest.raises(Unavailable):
        recent([info("a", 10)], 100, is_patient=False)
