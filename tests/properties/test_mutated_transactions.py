"""Recorded transactions with anything wrong in them: no exception but the one that says so, nothing half believed."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import base58
from hypothesis import given
from hypothesis import strategies as st

from chain.decode.base import Decoded, Unknown
from chain.decode.base58_data import base58_bytes
from chain.decode.dispatch import decode
from chain.decode.idl import parse_idl
from chain.decode.logs import TRUNCATED, attribute
from chain.decode.transaction import Transaction, read_transaction
from chain.events import Event
from executions import stored_json
from executions.program_errors import explain
from listener.matches import candidates, of_transaction
from listener.observations import FetchedTransaction
from listener.program_events import Emitter
from listener.reasons import judge_transaction
from listener.registry import Audience, Wanted
from listener.watches import Kind, Watch
from tests.mutations import mutated
from tests.unit.chain.conftest import NAMES, Recording
from workflows.specs.workflow import parse

IDLS = Path(__file__).parents[3] / "shared" / "recordings" / "idls"
ANSWERS = st.sampled_from(NAMES).map(lambda name: Recording(name).transaction)
U64_MAX = 2**64 - 1
# Each takes milliseconds; a machine that does other things too may take longer.
PATIENCE_S = 5.0

JUPITER = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4"
PUMP = "6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"
WALLET = "9rJ4QzDLYm5VARnuWcMFMzB4Nr1hKprGQWb8LTfsU6Q2"
ACCOUNT = "F54yhxDkhsprqQoRV5L1dCQKKFSY1WBzFQ6YaVRuW42T"
NOBODY = UUID(int=0)


@cache
def emitter(program: str, idl: str) -> Emitter | None:
    path = IDLS / idl
    return Emitter(parse_idl(json.loads(path.read_text()), program)) if path.is_file() else None


def audience(trigger: dict[str, Any], kind: Kind, address: str, source: Emitter | None = None) -> Audience:
    spec = parse({"schema": 1, "trigger": trigger, "actions": [], "notifications": []})
    watch = Watch(kind, address, "confirmed")
    member = Wanted(NOBODY, NOBODY, 1, 0, False, "confirmed", (watch,), spec.trigger, source)
    return Audience(1, 0, watch, (member,))


def audiences() -> list[Audience]:
    by_idl = {"type": "program_log", "include_failed": True, "idl": str(NOBODY)}
    return [
        audience(
            {"type": "program_log", "program_id": JUPITER, "pattern": ".", "include_failed": True}, "logs", JUPITER
        ),
        audience(
            {**by_idl, "program_id": JUPITER, "event": "SwapEvent"},
            "logs",
            JUPITER,
            emitter(JUPITER, "jupiter_v6.json"),
        ),
        audience({**by_idl, "program_id": PUMP, "event": "TradeEvent"}, "logs", PUMP, emitter(PUMP, "pump.json")),
        audience({"type": "transaction_status", "account": WALLET, "status": "any"}, "logs", WALLET),
        audience({"type": "nft_receipt", "wallet": WALLET, "verified_only": False}, "token_accounts", WALLET),
        audience({"type": "token_receipt", "token_account": ACCOUNT, "mint": WALLET}, "logs", ACCOUNT),
    ]


def read(answer: Any) -> Transaction | None:
    try:
        return read_transaction(answer, with_instructions=True)
    except ValueError as error:
        assert str(error)
        return None


@given(mutated(ANSWERS))
def test_a_mutated_transaction_is_read_in_full_or_refused(answer: Any) -> None:
    started_s = time.monotonic()

    transaction = read(answer)

    if transaction is not None:
        assert_whole(transaction)
        for instruction in transaction.instructions:
            assert isinstance(decode(instruction), Decoded | Unknown)
    assert time.monotonic() - started_s < PATIENCE_S


def assert_whole(transaction: Transaction) -> None:
    """Every part of the type that everybody downstream relies on, and within its range."""
    assert type(transaction.slot) is int and 0 <= transaction.slot < 2**63
    assert type(transaction.fee_lamports) is int and 0 <= transaction.fee_lamports <= U64_MAX
    assert type(transaction.signature) is str
    assert all(type(account) is str for account in transaction.accounts)
    assert all(type(line) is str for line in transaction.logs)
    for delta in (*transaction.tokens, *transaction.handed_over):
        assert delta.account in transaction.accounts
        assert type(delta.mint) is str and (delta.owner is None or type(delta.owner) is str)
        assert 0 <= delta.pre <= U64_MAX and 0 <= delta.post <= U64_MAX
        assert 0 <= delta.decimals <= 255
    for instruction in transaction.instructions:
        assert type(instruction.program_id) is str
        assert all(type(account) is str for account in instruction.accounts)


@given(mutated(ANSWERS))
def test_every_trigger_makes_events_of_it_that_can_be_stored_or_none(answer: Any) -> None:
    started_s = time.monotonic()
    transaction = read(answer)
    if transaction is None:
        return
    fetched = FetchedTransaction(1, transaction, {}, 0.0)
    for one in audiences():
        events = [event for _, event in of_transaction(fetched, one)]
        for event in [*events, *candidates(fetched, one)]:
            assert_storable(event)
        assert len({event.key for event in events}) == len(events)
        judged = judge_transaction(fetched, one).judged
        if one.watch.address in transaction.accounts:
            assert events == [found.event for found in judged if found.mismatch is None]
    assert explain(transaction.err, message=None, logs=transaction.logs)
    assert time.monotonic() - started_s < PATIENCE_S


def assert_storable(event: Event) -> None:
    assert json.loads(stored_json.dumps(event.as_json()))["type"] == event.type


LINES = st.sampled_from([name for name in NAMES if Recording(name).logs])


@given(LINES, st.lists(st.tuples(st.integers(0), st.text(max_size=40)), max_size=6))
def test_what_programs_write_changes_no_line_of_others(name: str, written: list[tuple[int, str]]) -> None:
    """Their words replaced by any others, the runtime's among them: every line stays its author's."""
    logs = list(Recording(name).logs)
    own = [place for place, line in enumerate(logs) if line.startswith(("Program log:", "Program data:"))]
    for place, text in written if own else ():
        words = logs[place % len(logs)] if place % 3 else text
        logs[own[place % len(own)]] = f"Program log: {words}"

    before, after = attribute(Recording(name).logs), attribute(logs)

    assert [(one.program_id, one.depth, one.n, one.log_index) for one in after] == [
        (one.program_id, one.depth, one.n, one.log_index) for one in before
    ]
    assert after.truncated == before.truncated


@given(LINES, st.integers(0))
def test_a_log_that_is_cut_anywhere_tells_the_lines_before_the_cut_and_no_other(name: str, place: int) -> None:
    whole = Recording(name).logs
    at = place % (len(whole) + 1)

    cut = attribute([*whole[:at], TRUNCATED, *whole[at:]])

    assert cut.truncated
    assert list(cut) == [line for line in attribute(whole) if line.log_index < at]


@given(st.binary(max_size=300), st.integers(0, 5))
def test_base58_is_read_as_the_library_reads_it(data: bytes, zeros: int) -> None:
    text = base58.b58encode(bytes(zeros) + data).decode()

    assert base58_bytes(text) == bytes(zeros) + data


@given(st.text(max_size=20))
def test_what_is_no_base58_is_a_value_error(text: str) -> None:
    try:
        assert base58.b58encode(base58_bytes(text)).decode() == text
    except ValueError as error:
        assert str(error)
