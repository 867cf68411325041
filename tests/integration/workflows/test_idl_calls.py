"""Calls by IDL at the door: what the stored IDL says against them is said when they are saved, and when enabled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.actors import Actor
from accounts.errors import Invalid
from tests import idls
from tests.integration.workflows.conftest import RECIPIENT, paying
from workflows.models import Idl, Signer, Workflow
from workflows.services import idl_create, idl_update, workflow_enable

Make = Callable[..., Workflow]


@pytest.fixture
def system_idl(alice: Actor) -> Idl:
    return idl_create(actor=alice, name="system", document=idls.SYSTEM)


def transfer(idl: Idl, **parts: Any) -> dict[str, Any]:
    action = {
        "type": "call_program",
        "program_id": idls.SYSTEM_PROGRAM,
        "idl": str(idl.id),
        "instruction": "transfer",
        "accounts": {"to": RECIPIENT},
        "args": {"lamports": 1000},
        **parts,
    }
    return paying(actions=[{"type": "memo", "text": "first"}, action])


def problems(error: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {problem.path: problem.code for problem in error.value.errors}


def test_a_call_that_fits_its_idl_is_saved_and_enabled(
    make: Make, system_idl: Idl, signer: Signer, alice: Actor
) -> None:
    """call_program is served."""
    workflow = make(transfer(system_idl), signer)

    assert workflow_enable(actor=alice, workflow=workflow, enabled_at_slot=0).enabled


def test_a_call_that_does_not_fit_its_idl_is_refused_with_every_problem_at_its_path(
    make: Make, system_idl: Idl
) -> None:
    """Arguments and accounts together."""
    with pytest.raises(Invalid) as caught:
        make(transfer(system_idl, accounts={}, args={"lamports": 2**64, "memo": "x"}))

    at = "definition.actions[1]"
    assert problems(caught) == {
        f"{at}.args.memo": "bad_argument",
        f"{at}.args.lamports": "bad_argument",
        f"{at}.accounts.to": "bad_account",
    }


def test_an_instruction_that_the_idl_does_not_have_is_refused(make: Make, system_idl: Idl) -> None:
    """With the ones that it has."""
    with pytest.raises(Invalid, match="Known: transfer") as caught:
        make(transfer(system_idl, instruction="pay"))

    assert problems(caught) == {"definition.actions[1].instruction": "unknown_instruction"}


def test_an_idl_of_another_team_is_not_looked_into(make: Make, charlie: Actor) -> None:
    """It is not found, which says nothing of what is in it."""
    foreign = idl_create(actor=charlie, name="system", document=idls.SYSTEM)

    with pytest.raises(Invalid) as caught:
        make(transfer(foreign, instruction="pay"))

    assert problems(caught) == {"definition.actions[1].idl": "not_found"}


def test_an_idl_that_changed_since_is_asked_again_when_the_workflow_is_enabled(
    make: Make, system_idl: Idl, signer: Signer, alice: Actor
) -> None:
    """The call that was right may not be any more."""
    workflow = make(transfer(system_idl), signer)
    idl_update(actor=alice, idl=system_idl, changes={"document": {**idls.SYSTEM, "instructions": []}})

    with pytest.raises(Invalid) as caught:
        workflow_enable(actor=alice, workflow=workflow, enabled_at_slot=0)

    assert problems(caught) == {"definition.actions[1].instruction": "unknown_instruction"}
