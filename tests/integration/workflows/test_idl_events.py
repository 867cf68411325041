"""Triggers on an event of an IDL at the door: a name that the program never emits would wait in silence for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.actors import Actor
from accounts.errors import Invalid
from tests import idls
from workflows.models import Idl, Workflow
from workflows.services import idl_create, idl_update, workflow_enable

Make = Callable[..., Workflow]

OTHER_PROGRAM = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
DOCUMENT: dict[str, Any] = {
    **idls.SYSTEM,
    "events": [{"name": "SoldOut", "discriminator": [1] * 8}, {"name": "Sold", "discriminator": [2] * 8}],
    "types": [{"name": name, "type": {"kind": "struct", "fields": []}} for name in ("SoldOut", "Sold")],
}


@pytest.fixture
def idl(alice: Actor) -> Idl:
    return idl_create(actor=alice, name="shop", document=DOCUMENT)


def on_event(idl: Idl, **parts: Any) -> dict[str, Any]:
    trigger = {"type": "program_log", "program_id": idls.SYSTEM_PROGRAM, "idl": str(idl.id), "event": "Sold", **parts}
    return {"trigger": trigger, "actions": []}


@pytest.mark.parametrize("event", ["Sold", "sold_out", "SoldOut"])
def test_an_event_of_the_idl_is_waited_for_in_either_spelling(make: Make, idl: Idl, alice: Actor, event: str) -> None:
    """As the listener finds it."""
    workflow = make(on_event(idl, event=event))

    assert workflow_enable(actor=alice, workflow=workflow, enabled_at_slot=0).enabled


@pytest.mark.parametrize(
    ("parts", "path", "code"),
    [
        ({"event": "SoldOff"}, "definition.trigger.event", "unknown_event"),
        ({"program_id": OTHER_PROGRAM}, "definition.trigger.idl", "other_program"),
    ],
)
def test_what_the_program_never_emits_is_refused(
    make: Make, idl: Idl, parts: dict[str, Any], path: str, code: str
) -> None:
    """With the names that there are."""
    with pytest.raises(Invalid) as caught:
        make(on_event(idl, **parts))

    (problem,) = caught.value.errors
    assert (problem.path, problem.code) == (path, code)
    if code == "unknown_event":
        assert "did you mean Sold" in problem.detail and "Known: Sold" in problem.detail


def test_an_event_that_its_idl_lost_is_refused_when_it_is_enabled(make: Make, idl: Idl, alice: Actor) -> None:
    """An IDL may have been replaced since the workflow was saved."""
    workflow = make(on_event(idl))
    idl_update(actor=alice, idl=idl, changes={"document": idls.SYSTEM})

    with pytest.raises(Invalid):
        workflow_enable(actor=alice, workflow=workflow, enabled_at_slot=0)
