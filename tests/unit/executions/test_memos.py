"""Which transactions are attempts of a signer: its own, by their last instruction. All else is somebody's text."""

from __future__ import annotations

from typing import Any

import base58
import pytest

from chain.tx.builder import attempt_memo
from executions.memos import Memo, may_be_ours, of_transaction, parse

SIGNER = "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin"
STRANGER = "4Nd1mYw4rP6uYcQy9cN6vN2qM6bW3N8mC1f2oJ5e7TzA"
MEMO_PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
OLD_MEMO_PROGRAM = "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo"
SYSTEM_PROGRAM = "11111111111111111111111111111111"
PREFIX = "0123456789abcdef"
OURS = f"solflow:{PREFIX}:3"


def transaction(
    *instructions: tuple[str, bytes], payer: str = SIGNER, inner: list[Any] | None = None
) -> dict[str, Any]:
    """As `getTransaction` answers: top-level instructions as (program, data)."""
    keys = [payer, STRANGER if payer == SIGNER else SIGNER, SYSTEM_PROGRAM, MEMO_PROGRAM, OLD_MEMO_PROGRAM]
    return {
        "transaction": {
            "message": {
                "accountKeys": keys,
                "instructions": [
                    {"programIdIndex": keys.index(program), "accounts": [0], "data": base58.b58encode(data).decode()}
                    for program, data in instructions
                ],
            }
        },
        "meta": {"innerInstructions": inner or []},
    }


def test_the_memo_of_an_attempt_is_read_back():
    assert parse(attempt_memo(PREFIX + "ff" * 24, 3)) == Memo(PREFIX, 3)
    assert str(Memo(PREFIX, 3)) == OURS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "solflow:",
        f" {OURS}",
        f"{OURS} ",
        f"{OURS}\n",
        f"{OURS}; {OURS}",
        f"solflow:{PREFIX.upper()}:3",
        f"solflow:{PREFIX[:-1]}:3",
        f"solflow:{PREFIX}0:3",
        f"solflow:{PREFIX}:0",
        f"solflow:{PREFIX}:03",
        f"solflow:{PREFIX}:-1",
        f"solflow:{PREFIX}:32768",
        f"solflow:{PREFIX}:99999999999999999999",
        f"solflow:{PREFIX}:٣",
        f"Solflow:{PREFIX}:3",
    ],
)
def test_what_only_looks_like_a_memo_is_none(text: str):
    assert parse(text) is None


def test_an_attempt_of_the_signer_is_known_by_its_last_instruction():
    found = transaction((SYSTEM_PROGRAM, b"\x02"), (MEMO_PROGRAM, OURS.encode()))
    assert of_transaction(found, SIGNER) == Memo(PREFIX, 3)


def test_the_old_memo_program_counts_too():
    assert of_transaction(transaction((OLD_MEMO_PROGRAM, OURS.encode())), SIGNER) == Memo(PREFIX, 3)


def test_a_transaction_that_somebody_else_paid_is_not_ours_whatever_it_says():
    found = transaction((MEMO_PROGRAM, OURS.encode()), payer=STRANGER)
    assert of_transaction(found, SIGNER) is None


def test_a_memo_action_cannot_imitate_the_memo_of_another_execution():
    """An event's text may end up in a memo action of our own transaction; ours is the one after it."""
    forged = f"solflow:{'f' * 16}:1"
    found = transaction((MEMO_PROGRAM, forged.encode()), (MEMO_PROGRAM, OURS.encode()))
    assert of_transaction(found, SIGNER) == Memo(PREFIX, 3)
    assert of_transaction(transaction((MEMO_PROGRAM, forged.encode()), (SYSTEM_PROGRAM, b"")), SIGNER) is None


def test_a_memo_that_another_program_wrote_is_not_ours():
    inner = [{"index": 0, "instructions": [{"programIdIndex": 3, "data": base58.b58encode(OURS).decode()}]}]
    assert of_transaction(transaction((SYSTEM_PROGRAM, b""), inner=inner), SIGNER) is None


def test_a_last_instruction_of_another_program_with_our_text_is_not_ours():
    assert of_transaction(transaction((SYSTEM_PROGRAM, OURS.encode())), SIGNER) is None


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"\x00" * 64, OURS.encode() + b"\xff", OURS.encode()[:-2]])
def test_bytes_that_are_no_memo_are_none(data: bytes):
    assert of_transaction(transaction((MEMO_PROGRAM, data)), SIGNER) is None


def test_a_transaction_without_instructions_is_not_ours():
    assert of_transaction(transaction(), SIGNER) is None


@pytest.mark.parametrize(
    ("listed", "worth_a_look"),
    [
        (None, False),
        ("", False),
        ("[5] hello; [2] hi", False),
        (f"[{len(OURS)}] {OURS}", True),
        (f"[5] hello; [{len(OURS)}] {OURS}", True),
        (f"[9999] {OURS}; [1", True),
    ],
)
def test_a_row_of_the_history_is_looked_at_when_it_names_us(listed: str | None, worth_a_look: bool):
    assert may_be_ours(listed) is worth_a_look
