"""A team, and the pieces of which its workflows are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.actors import Actor
from accounts.models import Role, Team
from tests.people import person
from workflows.models import Channel, Signer, Workflow
from workflows.services import channel_create, signer_create, workflow_create

DISCORD_URL = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123"
WATCHED = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"
RECIPIENT = "9B5XszUGdMaxCZ7uSQhPzdks5ZQSmWxrmzCSvtJ6Ns6g"


@pytest.fixture
def alice(db: None) -> Actor:
    return person("alice", Role.ADMIN).actor


@pytest.fixture
def charlie(db: None) -> Actor:
    """An admin of another team."""
    return person("charlie", Role.ADMIN, Team.objects.create(name="Others")).actor


@pytest.fixture
def signer(alice: Actor) -> Signer:
    return signer_create(actor=alice, name="treasury")


@pytest.fixture
def channel(alice: Actor) -> Channel:
    return channel_create(actor=alice, name="ops", type="discord", config={"webhook_url": DISCORD_URL})


def paying(**parts: Any) -> dict[str, Any]:
    """A definition that pays 1000 lamports for each change of a balance."""
    return {
        "trigger": {"type": "balance_change", "address": WATCHED},
        "actions": [{"type": "transfer_sol", "to": RECIPIENT, "lamports": 1000}],
        **parts,
    }


@pytest.fixture
def make(alice: Actor) -> Callable[..., Workflow]:
    def workflow(definition: dict[str, Any] | None = None, signer: Signer | None = None, **settings: Any) -> Workflow:
        return workflow_create(
            actor=alice,
            definition=definition or paying(),
            settings={"name": "pay", **settings},
            signer_id=signer.id if signer else None,
        )

    return workflow
