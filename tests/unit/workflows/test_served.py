"""What this version cannot run is refused when a workflow is enabled, not when it is saved."""

from __future__ import annotations

import pytest

from tests.unit.workflows.definitions import ALICE, ID, MINT, PROGRAM, RIGHT, with_part, with_trigger
from workflows.specs import served
from workflows.specs.actions import ACTION_TYPES
from workflows.specs.served import SERVED_ACTIONS, SERVED_TRIGGERS, unserved
from workflows.specs.triggers import TRIGGER_TYPES
from workflows.specs.workflow import parse


def test_the_contracts_example_runs() -> None:
    assert unserved(parse(RIGHT)) == []


def test_every_trigger_runs() -> None:
    assert set(TRIGGER_TYPES) == SERVED_TRIGGERS


def test_a_trigger_that_is_not_served_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "SERVED_TRIGGERS", SERVED_TRIGGERS - {"token_receipt"})
    problems = unserved(parse(with_trigger(type="token_receipt", wallet=ALICE, mint=MINT)))
    assert [(problem.path, problem.code) for problem in problems] == [("trigger.type", "not_served")]
    assert "token_receipt" in problems[0].detail


def test_a_log_trigger_by_pattern_and_by_event_runs() -> None:
    assert unserved(parse(with_trigger(type="program_log", program_id=PROGRAM, pattern="x"))) == []
    assert unserved(parse(with_trigger(type="program_log", program_id=PROGRAM, event="Swapped", idl=ID))) == []


def test_every_action_runs() -> None:
    assert set(ACTION_TYPES) == SERVED_ACTIONS


def test_an_action_that_is_not_served_is_named_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "SERVED_ACTIONS", SERVED_ACTIONS - {"call_program"})
    call = {"type": "call_program", "program_id": PROGRAM, "accounts": [], "data": ""}
    problems = unserved(parse(with_part(actions=[{"type": "memo", "text": "hi"}, call])))
    assert [problem.path for problem in problems] == ["actions[1].type"]
    assert "call_program" in problems[0].detail


def test_only_types_that_exist_are_called_served() -> None:
    assert set(TRIGGER_TYPES) >= SERVED_TRIGGERS
