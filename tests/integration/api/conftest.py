"""People with tokens, and workflows to look at through the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Role, Team
from executions.balances import balances
from executions.gateway import gateway
from tests.local_chain import LocalChain
from tests.people import Person, person

WATCHED = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"
RECIPIENT = "9B5XszUGdMaxCZ7uSQhPzdks5ZQSmWxrmzCSvtJ6Ns6g"
DISCORD_URL = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123"


@pytest.fixture
def alice(db: None) -> Person:
    """An admin of the first team."""
    return person("alice", Role.ADMIN)


@pytest.fixture
def bob(db: None) -> Person:
    """An operator of the first team."""
    return person("bob", Role.OPERATOR)


@pytest.fixture
def carol(db: None) -> Person:
    """A viewer of the first team."""
    return person("carol", Role.VIEWER)


@pytest.fixture
def charlie(db: None) -> Person:
    """An admin of another team."""
    return person("charlie", Role.ADMIN, Team.objects.create(name="Others"))


@pytest.fixture
def api(alice: Person) -> APIClient:
    """What most tests use: alice's token, with all scopes."""
    return alice.client()


@pytest.fixture
def no_chain(settings: Any) -> Iterator[None]:
    """No endpoint answers: nothing listens on port 9 of this machine."""
    settings.SOLANA_RPC_URLS = ["http://127.0.0.1:9"]
    gateway.cache_clear()
    balances.cache_clear()
    yield
    gateway.cache_clear()
    balances.cache_clear()


@pytest.fixture(scope="session")
def session_chain() -> Iterator[LocalChain]:
    with LocalChain(slot_ms=100) as chain:
        yield chain


@pytest.fixture
def chain(session_chain: LocalChain, settings: Any) -> Iterator[LocalChain]:
    """The local chain, with this process's clients pointing at it."""
    settings.SOLANA_RPC_URLS = [session_chain.rpc_url]
    gateway.cache_clear()
    balances.cache_clear()
    yield session_chain
    gateway().rpc.close()
    gateway.cache_clear()
    balances.cache_clear()


def manual(**parts: Any) -> dict[str, Any]:
    """A definition that a person runs and that does nothing on chain."""
    return {"trigger": {"type": "manual"}, **parts}


def paying(**parts: Any) -> dict[str, Any]:
    """A definition that pays 1000 lamports for each change of a balance."""
    return {
        "trigger": {"type": "balance_change", "address": WATCHED},
        "actions": [{"type": "transfer_sol", "to": RECIPIENT, "lamports": 1000}],
        **parts,
    }


@pytest.fixture
def create(api: APIClient) -> Callable[..., dict[str, Any]]:
    """Make something through the API and give what it answered."""

    def made(resource: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = api.post(f"/api/v1/{resource}/", body, format="json")
        assert answer.status_code == 201, answer.content
        shown: dict[str, Any] = answer.json()
        return shown

    return made
