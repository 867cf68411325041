"""A `getTransaction` answer as values."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.decode.transaction import read_transaction
from tests.unit.chain.conftest import NAMES, Recording


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


PATHS = st.sampled_from(
    [
        ("meta",),
        ("slot",),
        ("transaction",),
        ("meta", "err"),
        ("meta", "fee"),
        ("meta", "preBalances"),
        ("meta", "postBalances"),
        ("meta", "postTokenBalances"),
        ("meta", "innerInstructions"),
        ("meta", "logMessages"),
        ("meta", "loadedAddresses"),
        ("transaction", "message"),
        ("transaction", "signatures"),
    ]
)
JUNK = st.sampled_from([None, [], {}, "x", -1, [None], [{}], {"a": 1}, [{"accountIndex": 999}], [[1]]])


@given(st.sampled_from(NAMES), PATHS, JUNK)
def test_an_answer_in_another_shape_is_a_value_error(name: str, path: tuple[str, ...], junk: Any) -> None:
    answer = copy.deepcopy(Recording(name).transaction)
    place: Any = answer
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = junk

    try:
        read_transaction(answer, with_instructions=True)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize("answer", [{}, {"meta": None}, {"meta": {}, "transaction": {}, "slot": 1}])
def test_what_is_no_transaction_is_a_value_error(answer: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no transaction"):
        read_transaction(answer, with_instructions=False)
