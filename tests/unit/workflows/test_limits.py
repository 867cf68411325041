"""A definition against its own workflow's limits, when it is saved."""

from __future__ import annotations

from typing import Any

import pytest

from chain.types import WRAPPED_SOL
from tests.unit.workflows.definitions import ALICE, BOB, ID, MINT, PROGRAM, with_part
from workflows.specs.limits import check_limits
from workflows.specs.settings import parse_settings
from workflows.specs.workflow import parse


def problems(actions: list[dict[str, Any]], **settings: Any) -> list[tuple[str, str]]:
    found = check_limits(parse(with_part(actions=actions)), parse_settings({"name": "Rent", **settings}))
    return [(error.path, error.code) for error in found]


def sol(lamports: int | str, to: str = BOB) -> dict[str, Any]:
    return {"type": "transfer_sol", "to": to, "lamports": lamports}


def token(amount: int | str, mint: str = MINT, to: str = BOB, **more: str) -> dict[str, Any]:
    return {"type": "transfer_token", "mint": mint, "to": to, "amount": amount, **more}


CALL = {"type": "call_program", "program_id": PROGRAM, "accounts": [], "data": ""}


@pytest.mark.parametrize(
    ("actions", "settings", "expected"),
    [
        ([sol(1_000_000)], {}, []),
        ([sol(1_000_001)], {}, [("actions[0].lamports", "above_limit")]),
        ([sol(600_000), sol(600_000)], {}, [("actions", "above_limit")]),
        ([sol(5)], {"max_lamports_per_day": 4}, [("actions[0].lamports", "above_limit")]),
        ([sol("max"), sol("{{ event.lamports }}")], {}, []),
        ([token(5)], {}, [("actions[0].mint", "mint_not_named")]),
        ([token("{{ event.amount }}")], {}, [("actions[0].mint", "mint_not_named")]),
        ([token(5, mint="{{ event.mint }}")], {}, []),
        ([token(5)], {"max_tokens_per_tx": {MINT: 5}}, []),
        ([token("12.5")], {"max_tokens_per_tx": {MINT: 5}}, []),
        ([token(6)], {"max_tokens_per_tx": {MINT: 5}}, [("actions[0].amount", "above_limit")]),
        ([token(3), token(3)], {"max_tokens_per_tx": {MINT: 5}}, [("actions", "above_limit")]),
        (
            [token(4)],
            {"max_tokens_per_tx": {MINT: 5}, "max_tokens_per_day": {MINT: 3}},
            [("actions[0].amount", "above_limit")],
        ),
        ([token(6, owner=ALICE)], {"max_tokens_per_tx": {MINT: 5}}, [("actions[0].amount", "above_limit")]),
        ([{**sol(1_000_001), "owner": ALICE}], {}, [("actions[0].lamports", "above_limit")]),
        # SOL that an owner has wrapped counts as lamports, under whichever name it is taken.
        ([token(1_000_000, WRAPPED_SOL, owner=ALICE)], {}, []),
        ([token(1_000_001, WRAPPED_SOL, owner=ALICE)], {}, [("actions[0].amount", "above_limit")]),
        ([token(600_000, WRAPPED_SOL, owner=ALICE), sol(600_000)], {}, [("actions", "above_limit")]),
        ([token(5, WRAPPED_SOL)], {}, [("actions[0].mint", "mint_not_named")]),
        ([sol(5)], {"allowed_recipients": [BOB]}, []),
        ([sol(5)], {"allowed_recipients": [ALICE]}, [("actions[0].to", "recipient_not_allowed")]),
        ([sol(5)], {"allowed_recipients": []}, [("actions[0].to", "recipient_not_allowed")]),
        ([sol(5, to="{{ event.account }}")], {"allowed_recipients": [ALICE]}, []),
        (
            [token(5)],
            {"allowed_recipients": [ALICE], "max_tokens_per_tx": {MINT: 5}},
            [("actions[0].to", "recipient_not_allowed")],
        ),
        ([CALL], {}, []),
        ([CALL], {"allowed_programs": [PROGRAM]}, []),
        ([CALL], {"allowed_programs": [ALICE]}, [("actions[0].program_id", "program_not_allowed")]),
        (
            [{"type": "call_program", "program_id": PROGRAM, "idl": ID, "instruction": "go"}],
            {"allowed_programs": []},
            [("actions[0].program_id", "program_not_allowed")],
        ),
        ([{"type": "memo", "text": "hi"}], {"allowed_programs": [], "allowed_recipients": []}, []),
    ],
)
def test_what_is_written_out_must_be_within_the_workflows_limits(
    actions: list[dict[str, Any]], settings: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert problems(actions, **settings) == expected


def test_the_figures_are_told() -> None:
    found = check_limits(parse(with_part(actions=[sol(2_000_000)])), parse_settings({"name": "Rent"}))
    assert found[0].detail == (
        "actions[0].lamports is 2000000 lamports, above this workflow's max_lamports_per_tx of 1000000 lamports."
    )
