"""A team with a funded signer on a running chain, and workflows that were enabled at some slot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.actors import Actor, system
from accounts.services import default_team
from executions.models import Execution
from executions.pipeline import advance
from tests.executing import balance_event, new_address, settled, take_events
from tests.local_chain import LocalChain
from workflows.models import Signer, Workflow
from workflows.services.signer import signer_create
from workflows.services.workflow import workflow_create, workflow_enable

SOL = 1_000_000_000


@pytest.fixture
def chain(local_gateway: LocalChain) -> LocalChain:
    return local_gateway


@pytest.fixture
def actor(db: None) -> Actor:
    return system(default_team(), "test")


@pytest.fixture
def signer(actor: Actor, chain: LocalChain) -> Signer:
    made = signer_create(actor=actor, name="treasury")
    chain.airdrop(made.address, 10 * SOL)
    return made


@pytest.fixture
def make_workflow(actor: Actor, signer: Signer) -> Callable[..., Workflow]:
    """An enabled workflow that watches an address; settings and parts of the definition as wanted."""

    def make(
        address: str, actions: list[dict[str, Any]], *, parts: dict[str, Any] | None = None, **settings: Any
    ) -> Workflow:
        definition = {"trigger": {"type": "balance_change", "address": address}, "actions": actions, **(parts or {})}
        workflow = workflow_create(
            actor=actor,
            definition=definition,
            settings={"name": "test", "max_executions_per_hour": 1000, **settings},
            signer_id=signer.id,
        )
        return workflow_enable(actor=actor, workflow=workflow, enabled_at_slot=0)

    return make


@pytest.fixture
def run(make_workflow: Callable[..., Workflow], chain: LocalChain) -> Callable[..., Execution]:
    """Run one event through a workflow with these actions and limits; the execution once it has ended."""

    def execute(*actions: dict[str, Any], **settings: Any) -> Execution:
        watched = new_address()
        workflow = make_workflow(watched, list(actions), **settings)
        (row_id,) = take_events(workflow, [balance_event(watched, 10)])
        advance([row_id])
        return settled(row_id)

    return execute
