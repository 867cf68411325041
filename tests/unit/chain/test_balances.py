from typing import Any

import pytest

from chain.decode.balances import SolDelta, TokenDelta, deltas
from chain.decode.dispatch import account_keys


def test_recorded_lamports_moved_as_the_ledger_says(recording: Any) -> None:
    moved = deltas(recording.transaction["meta"], account_keys(recording.transaction)).sol
    assert [(d.account, str(d.lamports)) for d in moved] == [
        (d["account"], d["lamports"]) for d in recording.expected["solDeltas"]
    ]
    assert sum(d.lamports for d in moved) == -int(recording.expected["feeLamports"])


def test_recorded_tokens_moved_as_the_ledger_says(recording: Any) -> None:
    moved = deltas(recording.transaction["meta"], account_keys(recording.transaction)).tokens
    expected = [
        TokenDelta(d["account"], d["owner"], d["mint"], d["tokenProgram"], d["decimals"], int(d["pre"]), int(d["post"]))
        for d in recording.expected["tokenDeltas"]
    ]
    assert sorted(moved, key=lambda d: d.account) == sorted(expected, key=lambda d: d.account)
    assert {d.account: str(d.amount) for d in moved} == {
        d["account"]: d["delta"] for d in recording.expected["tokenDeltas"]
    }


def test_keys_that_do_not_match_the_balances_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        deltas({"preBalances": [1], "postBalances": [2]}, ["a", "b"])


def test_an_account_closed_and_opened_for_another_mint_moved_both() -> None:
    def entry(mint: str, amount: str) -> dict[str, Any]:
        return {"accountIndex": 0, "mint": mint, "uiTokenAmount": {"amount": amount, "decimals": 0}}

    meta = {
        "preBalances": [5],
        "postBalances": [4],
        "preTokenBalances": [entry("old", "3")],
        "postTokenBalances": [entry("new", "8")],
    }
    moved = deltas(meta, ["a"])
    assert moved.sol == (SolDelta("a", -1),)
    assert {d.mint: d.amount for d in moved.tokens} == {"old": -3, "new": 8}
