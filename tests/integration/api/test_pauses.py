"""Pausing everything, a workflow or a signer, by the API and by the commands: each says what may still land."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Installation
from executions.models import Attempt
from tests.executing import balance_event, new_address, take_events
from tests.integration.api.conftest import paying
from tests.people import Person
from workflows.models import Signer, Workflow

pytestmark = pytest.mark.usefixtures("no_chain")

Create = Callable[..., dict[str, Any]]


@pytest.fixture
def signer(create: Create) -> Signer:
    return Signer.objects.get(pk=create("signers", {"name": "treasury"})["id"])


@pytest.fixture
def workflow(create: Create, signer: Signer) -> Workflow:
    made = create("workflows", {"name": "Pay rent", "definition": paying(), "signer": str(signer.id)})
    return Workflow.objects.get(pk=made["id"])


def attempt(workflow: Workflow, signature: str, **columns: Any) -> Attempt:
    """A transaction that was marked for sending, and that nobody has seen."""
    (row_id,) = take_events(workflow, [balance_event(new_address(), 7)])
    now = timezone.now()
    values = {"status": "sent", "sending_at": now, "signer": workflow.signer, **columns}
    return Attempt.objects.create(
        execution_id=row_id,
        number=1,
        signature=signature,
        raw=b"",
        blockhash="b",
        last_valid_block_height=9,
        genesis_hash="g",
        signed_at=now,
        **values,
    )


def test_pausing_a_workflow_or_a_signer_answers_with_its_own_transactions_that_may_still_land(
    bob: Person, create: Create, workflow: Workflow, signer: Signer
) -> None:
    other_signer = Signer.objects.get(pk=create("signers", {"name": "petty cash"})["id"])
    made = create("workflows", {"name": "Other", "definition": paying(), "signer": str(other_signer.id)})
    other = Workflow.objects.get(pk=made["id"])
    attempt(workflow, "sent")
    attempt(workflow, "parked", status="unknown")
    attempt(workflow, "marked", status="signed")
    attempt(workflow, "never marked", status="signed", sending_at=None)
    attempt(workflow, "landed", status="confirmed")
    attempt(workflow, "expired", status="expired")
    attempt(other, "of the other")
    client = bob.client()

    def landing(url: str) -> list[str]:
        answer = client.post(f"/api/v1/{url}pause/", {"reason": "odd"}, format="json")
        assert answer.status_code == 200
        signatures: list[str] = answer.json()["may_still_land"]
        return signatures

    assert landing(f"workflows/{workflow.id}/") == ["sent", "parked", "marked"]
    assert landing(f"signers/{signer.id}/") == ["sent", "parked", "marked"]
    assert landing(f"workflows/{other.id}/") == landing(f"signers/{other_signer.id}/") == ["of the other"]
    assert landing("") == ["sent", "parked", "marked", "of the other"]


def test_a_workflow_that_is_not_being_paused_does_not_say_what_may_land(api: APIClient, workflow: Workflow) -> None:
    assert "may_still_land" not in api.get(f"/api/v1/workflows/{workflow.id}/").json()
    assert "may_still_land" not in api.delete(f"/api/v1/workflows/{workflow.id}/pause/").json()


def test_the_commands_pause_and_resume_everything(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("pause", "maintenance")
    assert Installation.objects.get().paused_reason == "maintenance"
    call_command("resume")
    assert Installation.objects.get().paused_at is None
    assert "Paused" in capsys.readouterr().out


@pytest.mark.parametrize("by", ["id", "name"])
def test_the_commands_pause_and_resume_a_workflow(
    workflow: Workflow, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    attempt(workflow, "in flight")
    call_command("pause", "odd payments", "--workflow", str(getattr(workflow, by)))
    workflow.refresh_from_db()
    assert (workflow.paused_at is not None, workflow.paused_reason) == (True, "odd payments")
    said = capsys.readouterr().out
    assert "The workflow Pay rent is paused" in said and "may still land: in flight" in said
    assert f"manage.py resume --workflow {workflow.id}" in said
    call_command("resume", "--workflow", str(getattr(workflow, by)))
    workflow.refresh_from_db()
    assert workflow.paused_at is None and "The pause of Pay rent is lifted" in capsys.readouterr().out
    assert Installation.objects.get().paused_at is None
    actions = AuditEntry.objects.filter(actor="system:command").values_list("action", flat=True)
    assert sorted(actions) == ["workflow_paused", "workflow_resumed"]


@pytest.mark.parametrize("by", ["id", "name", "address"])
def test_the_commands_pause_and_resume_a_signer(signer: Signer, capsys: pytest.CaptureFixture[str], by: str) -> None:
    call_command("pause", "--signer", str(getattr(signer, by)))
    signer.refresh_from_db()
    assert signer.paused_at is not None and "The signer treasury is paused" in capsys.readouterr().out
    call_command("resume", "--signer", str(getattr(signer, by)))
    signer.refresh_from_db()
    assert signer.paused_at is None


@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workflow", "Rent"], "there is no workflow 'Rent'"),
        (["--workflow", "00000000-0000-0000-0000-000000000000"], "there is no workflow '0000"),
        (["--signer", "treasure"], "there is no signer 'treasure'"),
        (["--workflow", "Twice"], "more than one workflow is named 'Twice': give its id"),
        (["--workflow", "Pay rent", "--signer", "treasury"], "not allowed with argument"),
    ],
)
def test_a_command_that_does_not_name_one_thing_says_so_in_a_line_and_pauses_nothing(
    workflow: Workflow, create: Create, command: str, arguments: list[str], said: str
) -> None:
    for _ in range(2):
        create("workflows", {"name": "Twice", "definition": paying()})
    with pytest.raises(CommandError, match=said):
        call_command(command, *arguments)
    assert Installation.objects.get().paused_at is None
    assert not Workflow.objects.exclude(paused_at=None) and not Signer.objects.exclude(paused_at=None)


def test_the_pause_of_a_restored_database_is_lifted_neither_by_the_api_nor_by_the_command(api: APIClient) -> None:
    Installation.objects.update(restored_at=timezone.now(), paused_at=timezone.now())
    answer = api.delete("/api/v1/pause/")
    assert (answer.status_code, answer.json()["code"]) == (409, "restored")
    with pytest.raises(CommandError, match="reconcile --after-restore"):
        call_command("resume")
    assert Installation.objects.get().paused_at is not None
