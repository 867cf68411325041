"""`POST executions/{id}/resolve/`: an operator says what became of a parked execution's transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from executions.models import Attempt, Execution, Reservation
from tests.executing import balance_event, new_address, take_events
from tests.integration.api.conftest import paying
from tests.local_chain import LocalChain
from tests.people import Person
from workflows.models import Signer, Workflow

Create = Callable[..., dict[str, Any]]


@pytest.fixture
def execution(create: Create) -> Execution:
    """Parked: its transaction was sent and is too old, and nobody knows whether it landed."""
    signer = Signer.objects.get(pk=create("signers", {"name": "treasury"})["id"])
    made = create("workflows", {"name": "Pay", "definition": paying(), "signer": str(signer.id)})
    workflow = Workflow.objects.get(pk=made["id"])
    (row_id,) = take_events(workflow, [balance_event(new_address(), 7)])
    Execution.objects.filter(pk=row_id).update(status="processing", waiting_for="person")
    now = timezone.now()
    Attempt.objects.create(
        execution_id=row_id,
        number=1,
        signer=signer,
        status="unknown",
        signature="5" * 87,
        raw=b"",
        blockhash="b",
        last_valid_block_height=1,
        genesis_hash="g",
        signed_at=now,
        sending_at=now,
    )
    Reservation.objects.create(execution_id=row_id, workflow=workflow, signer=signer, lamports=6_000, at=now)
    return Execution.objects.get(pk=row_id)


def url(execution: Execution) -> str:
    return f"/api/v1/executions/{execution.execution_id}/resolve/"


@pytest.mark.parametrize(
    ("body", "status", "attempt"),
    [
        ({"outcome": "landed"}, "success", "unknown"),
        ({"outcome": "not_landed"}, "failed", "expired"),
        ({"outcome": "not_landed", "sign_again": True}, "pending", "expired"),
    ],
)
def test_an_operators_word_is_taken_and_the_execution_answered(
    bob: Person, execution: Execution, chain: LocalChain, body: dict[str, Any], status: str, attempt: str
) -> None:
    chain.warp(60)
    answer = bob.client().post(url(execution), body, format="json")
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (shown["status"], shown["waiting_for"], shown["transaction"]["status"]) == (status, None, attempt)
    step = shown["steps"][-1]
    assert (step["name"], step["detail"]["by"], step["detail"]["claim"]) == (
        "resolved",
        "token:bob/test",
        body["outcome"],
    )


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "outcome"),
        ({"outcome": "maybe"}, "outcome"),
        ({"outcome": "landed", "sign_again": True}, "sign_again"),
        ({"outcome": "not_landed", "sign_agian": True}, "sign_agian"),
    ],
)
def test_a_word_that_makes_no_sense_is_400_and_decides_nothing(
    api: APIClient, execution: Execution, no_chain: None, body: dict[str, Any], path: str
) -> None:
    answer = api.post(url(execution), body, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, path)
    assert Execution.objects.get().waiting_for == "person"


def test_without_the_chain_it_is_503(api: APIClient, execution: Execution, no_chain: None) -> None:
    answer = api.post(url(execution), {"outcome": "not_landed"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert Execution.objects.get().waiting_for == "person"


def test_what_may_still_land_is_409(api: APIClient, execution: Execution, chain: LocalChain) -> None:
    Attempt.objects.update(last_valid_block_height=10**9)
    answer = api.post(url(execution), {"outcome": "not_landed"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "may_still_land")


def test_what_waits_for_nobody_is_409(api: APIClient, execution: Execution, no_chain: None) -> None:
    Execution.objects.update(waiting_for="confirmation")
    answer = api.post(url(execution), {"outcome": "landed"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_parked")


def test_viewers_and_other_teams_decide_nothing(carol: Person, charlie: Person, execution: Execution) -> None:
    body = {"outcome": "landed"}
    assert carol.client().post(url(execution), body, format="json").status_code == 403
    assert charlie.client().post(url(execution), body, format="json").status_code == 404
