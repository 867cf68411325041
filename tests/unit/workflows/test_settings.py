"""What a workflow has beside its definition: defaults, changes, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.workflows.definitions import ALICE, BOB, MINT
from workflows.specs.errors import SpecErrors
from workflows.specs.settings import dump_settings, parse_settings


def test_the_defaults_are_those_of_the_contract() -> None:
    assert dump_settings(parse_settings({"name": "Rent"})) == {
        "name": "Rent",
        "description": "",
        "commitment": "confirmed",
        "dry_run": False,
        "ordered": False,
        "max_event_age_s": None,
        "max_lamports_per_tx": 1_000_000,
        "max_lamports_per_day": None,
        "max_tokens_per_tx": {},
        "max_tokens_per_day": {},
        "max_executions_per_hour": 10,
        "allowed_recipients": None,
        "allowed_programs": None,
        "approval_above_lamports": None,
        "approval_expires_s": 3600,
        "approvers": 1,
        "pause_after_failures": 5,
    }


def test_lamports_may_be_written_in_sol() -> None:
    settings = parse_settings({"name": "Rent", "max_lamports_per_tx": "0.25 SOL", "max_lamports_per_day": "1 SOL"})
    assert (settings.max_lamports_per_tx, settings.max_lamports_per_day) == (250_000_000, 1_000_000_000)


def test_a_change_keeps_what_it_does_not_name() -> None:
    base = parse_settings({"name": "Rent", "allowed_recipients": [ALICE], "max_tokens_per_tx": {MINT: 5}})
    changed = parse_settings({"description": "monthly", "max_tokens_per_tx": {}}, base=base)
    assert (changed.name, changed.description, changed.allowed_recipients) == ("Rent", "monthly", (ALICE,))
    assert changed.max_tokens_per_tx == {}


def test_null_lifts_a_limit_and_empties_a_map() -> None:
    base = parse_settings({"name": "Rent", "max_lamports_per_day": 5, "max_tokens_per_day": {MINT: 5}})
    lifted = {"max_lamports_per_day": None, "max_tokens_per_day": None, "pause_after_failures": None}
    changed = parse_settings(lifted, base=base)
    assert (changed.max_lamports_per_day, changed.max_tokens_per_day, changed.pause_after_failures) == (None, {}, None)


@pytest.mark.parametrize(
    ("given", "path", "code"),
    [
        ({}, "name", "required"),
        ({"name": ""}, "name", "too_short"),
        ({"name": "  "}, "name", "too_short"),
        ({"name": "x" * 201}, "name", "too_long"),
        ({"name": 5}, "name", "wrong_type"),
        ({"name": "https://discord.com/api/webhooks/1/abc"}, "name", "secret"),
        ({"description": "x" * 2001}, "description", "too_long"),
        ({"commitment": "max"}, "commitment", "not_allowed"),
        ({"dry_run": 1}, "dry_run", "wrong_type"),
        ({"max_event_age_s": 0}, "max_event_age_s", "out_of_range"),
        ({"max_event_age_s": 1.5}, "max_event_age_s", "wrong_type"),
        ({"max_lamports_per_tx": None}, "max_lamports_per_tx", "not_an_amount"),
        ({"max_lamports_per_tx": 0.001}, "max_lamports_per_tx", "float_amount"),
        ({"max_lamports_per_tx": -1}, "max_lamports_per_tx", "out_of_range"),
        ({"max_lamports_per_tx": 2**63}, "max_lamports_per_tx", "out_of_range"),
        ({"max_lamports_per_tx": "0.001"}, "max_lamports_per_tx", "unit_missing"),
        ({"max_tokens_per_tx": {"USDC": 5}}, "max_tokens_per_tx.USDC", "not_an_address"),
        ({"max_tokens_per_tx": {MINT: "5"}}, f"max_tokens_per_tx.{MINT}", "wrong_type"),
        ({"max_tokens_per_tx": {MINT: -5}}, f"max_tokens_per_tx.{MINT}", "out_of_range"),
        ({"max_tokens_per_tx": [MINT]}, "max_tokens_per_tx", "wrong_type"),
        ({"max_executions_per_hour": 0}, "max_executions_per_hour", "out_of_range"),
        ({"max_executions_per_hour": None}, "max_executions_per_hour", "wrong_type"),
        ({"allowed_recipients": ["x"]}, "allowed_recipients[0]", "not_an_address"),
        ({"allowed_recipients": [ALICE, ALICE]}, "allowed_recipients", "repeated"),
        ({"allowed_programs": BOB}, "allowed_programs", "wrong_type"),
        ({"approval_expires_s": 0}, "approval_expires_s", "out_of_range"),
        ({"approvers": 6}, "approvers", "out_of_range"),
        ({"pause_after_failures": 0}, "pause_after_failures", "out_of_range"),
        ({"pause_after_failures": 1001}, "pause_after_failures", "out_of_range"),
        ({"max_lamport_per_tx": 5}, "max_lamport_per_tx", "unknown_key"),
    ],
)
def test_wrong_settings_are_refused_with_their_path(given: dict[str, Any], path: str, code: str) -> None:
    named = given if "name" in given or not given else {"name": "Rent", **given}
    with pytest.raises(SpecErrors) as caught:
        parse_settings(named)
    assert [(error.path, error.code) for error in caught.value.errors] == [(path, code)]
