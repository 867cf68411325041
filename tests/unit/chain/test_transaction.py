"""A `getTransaction` answer as values."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from chain.decode.transaction import read_transaction
from tests.unit.chain.conftest import Recording


def test_a_recorded_transaction_is_told_as_it_was(recording: Any) -> None:
    found = read_transaction(recording.transaction, with_instructions=True)
    expected = recording.expected

    assert (found.signature, found.slot, found.err) == (expected["signature"], expected["slot"], expected["error"])
    assert found.fee_lamports == int(expected["feeLamports"])
    assert list(found.logs) == recording.logs
    assert sorted((one.account, one.mint, one.amount) for one in found.tokens) == sorted(
        (one["account"], one["mint"], int(one["delta"])) for one in expected["tokenDeltas"]
    )


def test_instructions_are_read_only_where_they_are_asked_for(recorded: type[Recording]) -> None:
    answer = recorded("nft-transfer").transaction

    assert read_transaction(answer, with_instructions=False).instructions == ()
    assert len(read_transaction(answer, with_instructions=True).instructions) == 9


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("meta", "innerInstructions", 0, "index"), 99),
        (("meta", "innerInstructions", 0, "instructions", 0, "programIdIndex"), -1),
        (("meta", "innerInstructions", 0, "instructions", 0, "programIdIndex"), None),
        (("transaction", "message", "instructions", 0, "accounts"), [True]),
        (("transaction", "message", "instructions", 0, "accounts"), [99]),
        (("transaction", "message", "instructions", 0, "data"), "0"),
        (("transaction", "message", "instructions", 0, "data"), "1" * 1_000_000),
        (("meta", "logMessages"), [None]),
        (("meta", "loadedAddresses"), {"writable": ["x"]}),
    ],
)
def test_what_points_nowhere_or_has_no_end_is_no_transaction(
    recorded: type[Recording], path: tuple[str | int, ...], value: Any
) -> None:
    answer = copy.deepcopy(recorded("nft-transfer").transaction)
    place: Any = answer
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    with pytest.raises(ValueError, match="no "):
        read_transaction(answer, with_instructions=True)


@pytest.mark.parametrize("answer", [{}, {"meta": None}, {"meta": {}, "transaction": {}, "slot": 1}])
def test_what_is_no_transaction_is_a_value_error(answer: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no transaction"):
        read_transaction(answer, with_instructions=False)
