"""Channels of a receiver on this machine, and an execution to tell about. Times are a fiftieth of what they are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from accounts.actors import Actor
from executions.models import Execution, ExecutionKey
from tests.delivering import TOKEN
from tests.executing import balance_event, new_address
from tests.http_stub import HttpStub
from workflows.models import Channel
from workflows.services.channel import channel_create
from workflows.services.workflow import workflow_create

# A retry is due after 40 ms: on a busy machine within the round that failed. `deliver_due(1)` is one attempt.
SCALE = 0.02
numbers = count(1)


@pytest.fixture(autouse=True)
def short_times(settings: Any) -> None:
    settings.SOLFLOW_TEST_TIME_SCALE = SCALE


@pytest.fixture
def make_channel(actor: Actor, http_stub: HttpStub) -> Callable[..., Channel]:
    def make(url: str | None = None) -> Channel:
        config = {"webhook_url": url or http_stub.discord_url(token=TOKEN)}
        return channel_create(actor=actor, name="ops", type="discord", config=config)

    return make


@pytest.fixture
def channel(make_channel: Callable[..., Channel]) -> Channel:
    return make_channel()


@pytest.fixture
def execution(actor: Actor) -> Execution:
    """One that has just ended, without its deliveries."""
    watched = new_address()
    definition = {"trigger": {"type": "balance_change", "address": watched}}
    workflow = workflow_create(actor=actor, definition=definition, settings={"name": "watch"}, signer_id=None)
    key = ExecutionKey.objects.create(execution_id=f"{next(numbers):064x}")
    now = timezone.now()
    return Execution.objects.create(
        id=key.id,
        execution_id=key.execution_id,
        team=actor.team,
        workflow=workflow,
        version_id=workflow.version_id,
        trigger="balance_change",
        event=balance_event(watched, 10).as_json(),
        status="success",
        created_at=now,
        completed_at=now,
    )
