"""A team with a funded signer on a running chain, and workflows that were enabled at some slot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.actors import Actor, system
from accounts.services import default_team
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
