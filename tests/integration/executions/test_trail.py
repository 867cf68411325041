"""The stages that executions go through, as whoever traces them is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from executions import trail
from executions.pipeline import advance
from executions.trail import Stage
from tests.executing import balance_event, execution, new_address, settled, take_events
from workflows.models import Workflow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stages() -> Iterator[list[Stage]]:
    told: list[Stage] = []
    trail.trace_with(told.append)
    yield told
    trail.trace_with(None)


def paying(make_workflow: Callable[..., Workflow], lamports: int, **parts: object) -> tuple[Workflow, str]:
    watched = new_address()
    action = {"type": "transfer_sol", "to": new_address(), "lamports": lamports}
    return make_workflow(watched, [action], parts=parts, max_lamports_per_tx=10**12), watched


def test_a_payment_goes_through_all_stages_in_order(make_workflow: Callable[..., Workflow], stages: list[Stage]):
    workflow, watched = paying(make_workflow, 900_000)
    (row_id,) = take_events(workflow, [balance_event(watched, 10)])
    advance([row_id])
    assert settled(row_id).status == "success"
    assert [one.name for one in stages] == ["ingest", "judge", "build", "simulate", "sign", "send", "confirm"]
    assert {one.trail for one in stages} == {(execution(row_id).execution_id, workflow.id)}
    assert all(one.started_ns <= one.ended_ns and not one.error for one in stages)


def test_a_stage_that_ends_early_says_by_what(make_workflow: Callable[..., Workflow], stages: list[Stage]):
    workflow, watched = paying(make_workflow, 10**11)
    (row_id,) = take_events(workflow, [balance_event(watched, 10)])
    advance([row_id])
    assert [(one.name, one.error) for one in stages][-1] == ("simulate", "SimulationFailed")


def test_what_a_filter_refuses_ends_with_the_judgement(make_workflow: Callable[..., Workflow], stages: list[Stage]):
    workflow, watched = paying(make_workflow, 1, filter={"field": "event.slot", "op": "gt", "value": 10**9})
    (row_id,) = take_events(workflow, [balance_event(watched, 10)])
    advance([row_id])
    assert [(one.name, one.facts) for one in stages][-1] == ("judge", {"met": False})


def test_an_event_that_is_known_already_leaves_no_stage(make_workflow: Callable[..., Workflow], stages: list[Stage]):
    workflow, watched = paying(make_workflow, 900_000)
    take_events(workflow, [balance_event(watched, 10)])
    take_events(workflow, [balance_event(watched, 10)])
    assert [one.name for one in stages] == ["ingest"]
