"""People with browsers, and a team with something on every page. No endpoint answers unless a test wants one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role, Team
from executions.balances import balances
from executions.gateway import gateway
from executions.models import Attempt, Delivery, Execution, Reservation
from tests.executing import balance_event, take_events
from tests.local_chain import LocalChain
from tests.people import Person, person
from workflows.models import Channel, Signer, Workflow
from workflows.services import channel_create, signer_create, workflow_create, workflow_enable

WATCHED = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"
RECIPIENT = "9B5XszUGdMaxCZ7uSQhPzdks5ZQSmWxrmzCSvtJ6Ns6g"
DISCORD_URL = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123"
SLOTS = count(1000)


def browser(who: Person) -> Client:
    """A browser in which the person has signed in."""
    client = Client()
    client.force_login(who.user)
    return client


@pytest.fixture(autouse=True)
def no_chain(settings: Any) -> Iterator[None]:
    """Nothing listens on port 9 of this machine: balances are unknown at once, and nothing can be enabled."""
    settings.SOLANA_RPC_URLS = ["http://127.0.0.1:9"]
    gateway.cache_clear()
    balances.cache_clear()
    yield
    gateway.cache_clear()
    balances.cache_clear()


@pytest.fixture
def chain(no_chain: None, local_chain: LocalChain, settings: Any) -> Iterator[LocalChain]:
    settings.SOLANA_RPC_URLS = [local_chain.rpc_url]
    yield local_chain
    gateway().rpc.close()


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
def pages(alice: Person) -> Client:
    """Alice's browser."""
    return browser(alice)


@pytest.fixture
def signer(alice: Person) -> Signer:
    return signer_create(actor=alice.actor, name="treasury", max_lamports_per_day=10_000_000)


@pytest.fixture
def channel(alice: Person) -> Channel:
    return channel_create(actor=alice.actor, name="ops", type="discord", config={"webhook_url": DISCORD_URL})


def paying(channel: Channel | None = None, **parts: Any) -> dict[str, Any]:
    """A definition that pays for each change of a balance and tells the channel."""
    notifications = [{"channel": str(channel.id), "on": ["success", "failed"]}] if channel else []
    return {
        "schema": 1,
        "trigger": {"type": "balance_change", "address": WATCHED},
        "actions": [{"type": "transfer_sol", "to": RECIPIENT, "lamports": 900_000}],
        "notifications": notifications,
        **parts,
    }


@pytest.fixture
def make(alice: Person, signer: Signer, channel: Channel) -> Callable[..., Workflow]:
    """A workflow, enabled unless said otherwise."""

    def workflow(name: str = "Pay rent", enabled: bool = True, **settings: Any) -> Workflow:
        made = workflow_create(
            actor=alice.actor,
            definition=settings.pop("definition", paying(channel)),
            settings={"name": name, **settings},
            signer_id=signer.id,
        )
        return workflow_enable(actor=alice.actor, workflow=made, enabled_at_slot=1) if enabled else made

    return workflow


@pytest.fixture
def workflow(make: Callable[..., Workflow]) -> Workflow:
    return make()


def pending(workflow: Workflow) -> Execution:
    """An execution whose event has just come in."""
    (row_id,) = take_events(workflow, [balance_event(WATCHED, next(SLOTS))])
    return Execution.objects.get(pk=row_id)


def ended(workflow: Workflow, status: str, **columns: Any) -> Execution:
    """An execution that ended so, without a transaction."""
    execution = pending(workflow)
    ended_at = execution.created_at + timedelta(milliseconds=640)
    Execution.objects.filter(pk=execution.pk).update(status=status, completed_at=ended_at, **columns)
    execution.refresh_from_db()
    return execution


def attempted(execution: Execution, **columns: Any) -> Attempt:
    """A transaction that was signed for it and, unless said otherwise, sent and never seen."""
    now = timezone.now()
    values = {
        "number": 1,
        "signer": execution.workflow.signer,
        "status": "sent",
        "signature": _signature(execution),
        "raw": b"",
        "blockhash": "1" * 44,
        "last_valid_block_height": 150,
        "genesis_hash": "1" * 44,
        "signed_at": now,
        "sending_at": now,
        "sends": 1,
        **columns,
    }
    if values["status"] in ("confirmed", "finalized", "failed"):
        logs = ["Program 11111111111111111111111111111111 invoke [1]"]
        values = {"slot": 123_456, "fee_lamports": 5_000, "compute_units": 450, "logs": logs, **values}
    return Attempt.objects.create(execution_id=execution.pk, **values)


def parked(workflow: Workflow) -> Execution:
    """An execution of whose transaction nobody knows whether it landed."""
    execution = pending(workflow)
    Execution.objects.filter(pk=execution.pk).update(status="processing", waiting_for="person")
    attempted(execution, status="unknown")
    Reservation.objects.create(
        execution_id=execution.pk, workflow=workflow, signer=workflow.signer, lamports=905_000, at=timezone.now()
    )
    execution.refresh_from_db()
    return execution


def landed(workflow: Workflow, channel: Channel, *, delivery: str = "delivered", **attempt: Any) -> Execution:
    """A successful execution with its transaction, its reservation and its message."""
    execution = ended(workflow, "success")
    now = timezone.now()
    attempted(execution, **{"status": "finalized", "finalized_at": now, **attempt})
    Reservation.objects.create(
        execution_id=execution.pk,
        workflow=workflow,
        signer=workflow.signer,
        status="settled",
        lamports=905_000,
        at=now,
    )
    Delivery.objects.create(
        execution_id=execution.pk,
        team=workflow.team,
        channel=channel,
        outcome="success",
        status=delivery,
        attempts=1,
        next_attempt_at=now,
        delivered_at=now if delivery == "delivered" else None,
        error="" if delivery == "delivered" else "404 from the webhook",
    )
    return execution


def _signature(execution: Execution) -> str:
    """Base58 text of a signature's length that nobody else has."""
    digits = str(execution.pk).replace("0", "A")
    return digits.rjust(88, "5")


def text_of(response: Any) -> str:
    return str(response.content.decode())
