"""What a failed transaction says to a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey

from chain.decode.idl import parse_idl
from chain.tx.instructions import (
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    associated_token_address,
    transfer_token_checked,
)
from executions.program_errors import explain
from tests.unit.chain.idl_documents import ALICE, BOB, PROGRAM, new_format

SYSTEM_PROGRAM = "11111111111111111111111111111111"
RECORDINGS = Path(__file__).parents[2] / "recordings"
IDL = parse_idl(new_format(errors=[{"code": 6000, "name": "SoldOut", "msg": "Nothing is left"}]), PROGRAM)


def message(*programs: str) -> MessageV0:
    account = AccountMeta(Pubkey.from_string(BOB), is_signer=False, is_writable=True)
    calls = [Instruction(Pubkey.from_string(program), b"", [account]) for program in programs]
    return MessageV0.try_compile(Pubkey.from_string(ALICE), calls, [], Hash.default())


def custom(code: int, index: int = 0) -> dict[str, Any]:
    return {"InstructionError": [index, {"Custom": code}]}


def failed(program: str, code: int) -> list[str]:
    return [f"Program {program} invoke [1]", f"Program {program} failed: custom program error: {code:#x}"]


def test_a_custom_error_is_told_by_the_idls_name_and_message() -> None:
    """With the program's name and address, and the instruction counted as explorers do."""
    told = explain(
        custom(6000, 1), message=message(SYSTEM_PROGRAM, PROGRAM), logs=failed(PROGRAM, 6000), idls={PROGRAM: IDL}
    )

    assert (
        told == f"program {PROGRAM} (shop) failed in instruction #2 with SoldOut (custom error 6000): Nothing is left"
    )


def test_without_a_log_the_program_is_that_of_the_instruction() -> None:
    """A log may be cut, or not be had."""
    told = explain(custom(6000), message=message(PROGRAM), idls={PROGRAM: IDL})

    assert "SoldOut" in told
    assert PROGRAM in told


def test_anchors_own_codes_are_known_for_programs_with_an_idl() -> None:
    """Below 6000 they are the framework's."""
    told = explain(custom(2006), message=message(PROGRAM), idls={PROGRAM: IDL})

    assert "ConstraintSeeds (custom error 2006): a seeds constraint was violated" in told


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        (TOKEN_PROGRAM, 1, "InsufficientFunds (custom error 1): insufficient funds"),
        (TOKEN_PROGRAM, 17, "AccountFrozen"),
        (TOKEN_2022_PROGRAM, 37, "NonTransferable"),
        (SYSTEM_PROGRAM, 1, "ResultWithNegativeLamports (custom error 1): account does not have enough SOL"),
        (SYSTEM_PROGRAM, 0, "AccountAlreadyInUse"),
        (BOB, 1, "its custom error 1 (0x1)"),
        (TOKEN_PROGRAM, 999, "its custom error 999 (0x3e7)"),
    ],
)
def test_the_same_code_means_what_its_program_means(program: str, code: int, words: str) -> None:
    """1 of the token program is not 1 of the system program, and of another program nobody knows."""
    assert words in explain(custom(code), message=message(program))


def test_the_innermost_program_that_failed_is_the_one_that_is_named() -> None:
    """The token program's error goes through the program that called it unchanged."""
    logs = [
        f"Program {PROGRAM} invoke [1]",
        f"Program {TOKEN_PROGRAM} invoke [2]",
        f"Program {TOKEN_PROGRAM} failed: custom program error: 0x1",
        f"Program {PROGRAM} failed: custom program error: 0x1",
    ]

    told = explain(custom(1), message=message(PROGRAM), logs=logs, idls={PROGRAM: IDL})

    assert told.startswith(f"program {TOKEN_PROGRAM} failed in instruction #1 with InsufficientFunds")


def test_a_program_without_an_idl_is_believed_about_its_own_code_only() -> None:
    """Anchor's programs write their errors into the log; another number or another program says nothing of this one."""
    line = "Program log: AnchorError occurred. Error Code: Late. Error Number: 6001. Error Message: Too\nlate."
    own = [f"Program {BOB} invoke [1]", line, f"Program {BOB} failed: custom program error: 0x1771"]
    another = [f"Program {PROGRAM} invoke [1]", line, f"Program {PROGRAM} success", *own[::2]]

    assert explain(custom(6001), message=message(BOB), logs=own).endswith("with Late (custom error 6001): Too late")
    assert "its custom error 6002" in explain(custom(6002), message=message(BOB), logs=own)
    assert "its custom error 6001" in explain(custom(6001), message=message(BOB), logs=another)


def test_a_recorded_failure_is_told() -> None:
    """Jupiter's slippage error on mainnet, by what the program wrote."""
    recorded = json.loads((RECORDINGS / "transactions" / "jup6-failed-slippage.json").read_text())

    told = explain(recorded["meta"]["err"], message=None, logs=recorded["meta"]["logMessages"])

    assert told == (
        "program JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4 failed in instruction #6"
        " with SlippageToleranceExceeded (custom error 6001): Slippage tolerance exceeded"
    )


@pytest.mark.parametrize(
    ("error", "logs", "told"),
    [
        ("InsufficientFundsForFee", [], "insufficient funds for fee"),
        (
            {"InstructionError": [0, "MissingRequiredSignature"]},
            [],
            f"program {PROGRAM} failed in instruction #1: missing required signature",
        ),
        (
            {"InstructionError": [0, "ProgramFailedToComplete"]},
            [f"Program {PROGRAM} failed: exceeded CUs meter at BPF instruction"],
            f"program {PROGRAM} failed in instruction #1: exceeded CUs meter at BPF instruction",
        ),
        (
            {"InsufficientFundsForRent": {"account_index": 1}},
            [],
            f"the account {BOB} would be left with less than the rent-exempt minimum",
        ),
        (
            {"InsufficientFundsForRent": {"account_index": 9}},
            [],
            "account #10 of the transaction would be left with less than the rent-exempt minimum",
        ),
        ({"InstructionError": [9, "GenericError"]}, [], "program (unknown) failed in instruction #10: generic error"),
        ({"SomethingNew": 5}, [], "{'SomethingNew': 5}"),
        (None, [], "None"),
    ],
)
def test_errors_without_a_code_are_told_in_words(error: Any, logs: list[str], told: str) -> None:
    """The runtime's own reason where the log has one; what is not known as it came."""
    assert explain(error, message=message(PROGRAM), logs=logs) == told


def draw(source: str, amount: int) -> MessageV0:
    """Alice takes from an account by her signature."""
    moved = transfer_token_checked(source, PROGRAM, BOB, ALICE, amount, 6)
    return MessageV0.try_compile(Pubkey.from_string(ALICE), [moved], [], Hash.default())


def test_a_payment_out_of_somebody_elses_account_says_what_its_owner_may_not_have_allowed() -> None:
    """Without the account at hand there are no figures: it landed and failed."""
    assert explain(custom(1), message=draw(BOB, 7)).endswith(
        f"insufficient funds; 7 base units are more than {BOB} holds, or than its owner lets the signer take"
    )
    assert explain(custom(4), message=draw(BOB, 7)).endswith(
        f"owner does not match; the owner of {BOB} has not approved the signer, has revoked the approval, or it is "
        "used up"
    )
    assert explain(custom(17), message=draw(BOB, 7)).endswith("account is frozen")


def test_a_payment_out_of_ones_own_account_is_not_told_as_somebody_elses() -> None:
    """The signer's own associated account."""
    own = associated_token_address(ALICE, PROGRAM)
    assert explain(custom(1), message=draw(own, 7)).endswith("insufficient funds")
