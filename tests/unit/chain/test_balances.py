from typing import Any

import pytest

from chain.decode.answer import read_answer
from chain.decode.balances import Deltas, SolDelta, TokenDelta, deltas


def test_recorded_lamports_moved_as_the_ledger_says(recording: Any) -> None:
    moved = deltas(read_answer(recording.transaction)).sol
    assert [(d.account, str(d.lamports)) for d in moved] == [
        (d["account"], d["lamports"]) for d in recording.expected["solDeltas"]
    ]
    assert sum(d.lamports for d in moved) == -int(recording.expected["feeLamports"])


def test_recorded_tokens_moved_as_the_ledger_says(recording: Any) -> None:
    moved = deltas(read_answer(recording.transaction)).tokens
    expected = [
        TokenDelta(d["account"], d["owner"], d["mint"], d["tokenProgram"], d["decimals"], int(d["pre"]), int(d["post"]))
        for d in recording.expected["tokenDeltas"]
    ]
    assert sorted(moved, key=lambda d: d.account) == sorted(expected, key=lambda d: d.account)
    assert {d.account: str(d.amount) for d in moved} == {
        d["account"]: d["delta"] for d in recording.expected["tokenDeltas"]
    }


def balance(mint: str, amount: str, owner: str | None = None) -> dict[str, Any]:
    return {"accountIndex": 0, "mint": mint, "owner": owner, "uiTokenAmount": {"amount": amount, "decimals": 0}}


def moved(before: list[dict[str, Any]], after: list[dict[str, Any]], **meta: Any) -> Deltas:
    """Of a transaction with one account, which pays one lamport."""
    answer = {
        "slot": 1,
        "transaction": {"signatures": ["s"], "message": {"accountKeys": ["a"], "instructions": []}},
        "meta": {
            "err": None,
            "fee": 1,
            "preBalances": [5],
            "postBalances": [4],
            "preTokenBalances": before,
            "postTokenBalances": after,
            **meta,
        },
    }
    return deltas(read_answer(answer))


def test_an_account_closed_and_opened_for_another_mint_moved_both() -> None:
    found = moved([balance("old", "3")], [balance("new", "8")])

    assert found.sol == (SolDelta("a", -1),)
    assert {d.mint: d.amount for d in found.tokens} == {"old": -3, "new": 8}


def test_an_account_given_to_another_owner_is_handed_over_with_what_is_in_it() -> None:
    found = moved([balance("nft", "1", "seller")], [balance("nft", "1", "buyer")])

    assert found.tokens == ()
    assert found.handed_over == (TokenDelta("a", "buyer", "nft", None, 0, 0, 1),)


@pytest.mark.parametrize(("before", "after"), [(None, "buyer"), ("seller", None), ("seller", "seller")])
def test_an_owner_that_is_not_told_or_stays_hands_nothing_over(before: str | None, after: str | None) -> None:
    assert moved([balance("nft", "1", before)], [balance("nft", "1", after)]).handed_over == ()


@pytest.mark.parametrize(
    "meta",
    [
        {"postBalances": [4, 4]},
        {"preTokenBalances": None},
        {"postTokenBalances": None},
        {"preTokenBalances": [balance("old", "3"), balance("old", "3")]},
        {"preTokenBalances": [balance("old", "18446744073709551616")]},
        {"preTokenBalances": [balance("old", "-3")]},
        {"preTokenBalances": [balance("old", "٣")]},
        {"preTokenBalances": [{**balance("old", "3"), "accountIndex": 1}]},
        {"preTokenBalances": [{**balance("old", "3"), "accountIndex": -1}]},
        {"preTokenBalances": [{**balance("old", "3"), "uiTokenAmount": {"amount": 3, "decimals": 0}}]},
        {"preBalances": [5.5]},
        {"preBalances": [True]},
        {"preBalances": [-1]},
        {"fee": "5000"},
    ],
)
def test_half_a_balance_or_one_that_cannot_be_is_no_transaction_and_no_amount(meta: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no transaction"):
        moved([balance("old", "3")], [balance("old", "3")], **meta)
