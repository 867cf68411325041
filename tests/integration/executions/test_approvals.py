"""A payment above the workflow's threshold waits for a person, and pays at most what was shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from accounts.actors import Actor
from accounts.errors import Refused
from accounts.models import AuditEntry
from executions import approvals
from executions.approvals import execution_approve, execution_reject
from executions.models import Approval, Attempt, Delivery, Execution, RateUnit, Reservation
from executions.pipeline import advance
from executions.services import execution_retry
from tests.executing import balance_event, execution, new_address, settled, take_events
from tests.local_chain import LocalChain
from workflows.models import Workflow
from workflows.services import channel_create
from workflows.services.workflow import workflow_update

pytestmark = pytest.mark.django_db(transaction=True)

DISCORD_URL = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123"
LAMPORTS = 2_000_000
FEE_LAMPORTS = 5_000


@pytest.fixture
def recipient() -> str:
    return new_address()


@pytest.fixture
def workflow(make_workflow: Callable[..., Workflow], actor: Actor, recipient: str) -> Workflow:
    channel = channel_create(actor=actor, name="ops", type="discord", config={"webhook_url": DISCORD_URL})
    return make_workflow(
        new_address(),
        [{"type": "transfer_sol", "to": recipient, "lamports": LAMPORTS}],
        parts={"notifications": [{"channel": str(channel.id), "on": ["failed"]}]},
        max_lamports_per_tx=5_000_000,
        approval_above_lamports=1_000_000,
    )


def asked(workflow: Workflow, slot: int = 10) -> Execution:
    """An execution that has come as far as it does without a person."""
    (row_id,) = take_events(workflow, [balance_event(workflow.version.definition["trigger"]["address"], slot)])
    advance([row_id])
    return execution(row_id)


def test_it_waits_with_nothing_signed_or_reserved_and_says_what_would_be_paid(workflow: Workflow) -> None:
    row = asked(workflow)
    question = Approval.objects.get()

    assert (row.status, row.waiting_for, row.lease_token) == ("pending", "approval", None)
    assert (question.lamports, question.tokens, question.status) == (LAMPORTS + FEE_LAMPORTS, {}, "waiting")
    assert question.expires_at - question.asked_at > timedelta(0)
    assert not Attempt.objects.exists()
    assert not Reservation.objects.exists()
    assert row.simulation["outflow_lamports"] == LAMPORTS + FEE_LAMPORTS
    told = Delivery.objects.get()
    assert told.outcome == "approval"
    assert "2005000 lamports would leave" in told.template["reason"]
    advance([row.id])
    assert execution(row.id).waiting_for == "approval"


def test_approved_it_is_paid_once(workflow: Workflow, actor: Actor, chain: LocalChain, recipient: str) -> None:
    row = asked(workflow)
    execution_approve(actor=actor, execution=row)
    advance([row.id])
    advance([row.id])
    done = settled(row.id)

    assert done.status == "success"
    assert chain.balance(recipient) == LAMPORTS
    approved = next(one for one in done.steps if one["name"] == "approved")
    assert approved["detail"] == {"by": actor.name, "lamports": LAMPORTS + FEE_LAMPORTS, "tokens": {}}
    assert AuditEntry.objects.filter(action="execution_approved", target_id=row.execution_id).count() == 1
    assert RateUnit.objects.filter(execution_id=row.id).count() == 1
    with pytest.raises(Refused) as refused:
        execution_approve(actor=actor, execution=done)
    assert refused.value.code == "not_waiting"


def test_refused_it_fails_and_gives_its_unit_of_the_rate_back(workflow: Workflow, actor: Actor) -> None:
    row = execution_reject(actor=actor, execution=asked(workflow))

    assert (row.status, row.error_code, row.waiting_for) == ("failed", "approval_refused", None)
    assert not RateUnit.objects.filter(execution_id=row.id).exists()
    assert AuditEntry.objects.filter(action="execution_rejected").exists()
    workflow.refresh_from_db()
    assert workflow.failures_in_row == 0
    assert Delivery.objects.filter(outcome="failed").count() == 1


def test_without_an_answer_it_fails_in_time(workflow: Workflow, actor: Actor) -> None:
    row = asked(workflow)
    assert approvals.expire_due() == 0
    Approval.objects.update(expires_at=timezone.now())
    with pytest.raises(Refused) as refused:
        execution_approve(actor=actor, execution=row)
    assert refused.value.code == "approval_expired"

    assert approvals.expire_due() == 1
    ended = execution(row.id)
    assert (ended.status, ended.error_code) == ("failed", "approval_expired")
    assert ended.error_detail == "nobody approved 0.002005 SOL in time"
    assert approvals.expire_due() == 0


def test_more_going_out_than_was_approved_asks_again(workflow: Workflow, actor: Actor) -> None:
    row = asked(workflow)
    execution_approve(actor=actor, execution=row)
    Approval.objects.update(lamports=LAMPORTS)  # as if less had been shown
    advance([row.id])

    assert execution(row.id).waiting_for == "approval"
    assert not Attempt.objects.exists()
    assert Approval.objects.get().status == "waiting"


def test_a_retry_asks_again(workflow: Workflow, actor: Actor) -> None:
    """What was approved for the run before does not count."""
    row = asked(workflow)
    execution_approve(actor=actor, execution=row)
    Workflow.objects.filter(pk=workflow.pk).update(max_lamports_per_tx=1)
    advance([row.id])
    assert execution(row.id).error_code == "limit_exceeded"
    Workflow.objects.filter(pk=workflow.pk).update(max_lamports_per_tx=5_000_000)
    execution_retry(actor=actor, execution=execution(row.id))
    advance([row.id])

    assert execution(row.id).waiting_for == "approval"
    assert not Attempt.objects.exists()


def test_nobody_is_asked_about_what_a_limit_refuses(workflow: Workflow) -> None:
    Workflow.objects.filter(pk=workflow.pk).update(max_lamports_per_day=2_002_000)
    row = asked(workflow)

    assert (row.status, row.error_code) == ("failed", "daily_limit_exceeded")
    assert not Approval.objects.exists()


@pytest.mark.parametrize("threshold", [None, LAMPORTS + FEE_LAMPORTS])
def test_at_the_threshold_nobody_is_asked(workflow: Workflow, threshold: int | None) -> None:
    Workflow.objects.filter(pk=workflow.pk).update(approval_above_lamports=threshold)
    assert settled(asked(workflow).id).status == "success"


def test_a_pause_holds_what_was_approved(workflow: Workflow, actor: Actor) -> None:
    row = asked(workflow)
    Workflow.objects.filter(pk=workflow.pk).update(paused_at=timezone.now())
    execution_approve(actor=actor, execution=row)
    advance([row.id])

    assert execution(row.id).waiting_for == "pause"
    assert not Attempt.objects.filter(~Q(status="expired")).exists()


def test_the_question_and_its_answer_through_the_api(workflow: Workflow, api_of: Callable[[str], Any]) -> None:
    row = asked(workflow)
    url = f"/api/v1/executions/{row.execution_id}/"
    viewer, operator = api_of("viewer"), api_of("operator")

    seen = viewer.get(url).json()
    assert seen["waiting_for"] == "approval"
    assert (seen["approval"]["status"], seen["approval"]["lamports"]) == ("waiting", LAMPORTS + FEE_LAMPORTS)
    assert viewer.post(f"{url}approve/").status_code == 403
    answered = operator.post(f"{url}approve/")
    assert answered.status_code == 200, answered.content
    assert answered.json()["approval"]["status"] == "approved"
    again = operator.post(f"{url}reject/")
    assert (again.status_code, again.json()["code"]) == (409, "not_waiting")


def test_the_page_says_what_would_be_paid_and_takes_the_answer(
    workflow: Workflow, api_of: Callable[[str], Any], chain: LocalChain, recipient: str
) -> None:
    row = asked(workflow)
    page = f"/executions/{row.execution_id}/"
    viewer, operator = api_of("viewer"), api_of("operator")

    assert "An operator or an admin can decide." in viewer.get(page).content.decode()
    shown = operator.get(page).content.decode()
    assert "This needs your approval" in shown
    assert "0.002005" in shown
    assert recipient in shown.split("It pays ", 1)[1].split("</p>", 1)[0]
    assert viewer.post(f"{page}answer/", {"choice": "approve"}).status_code == 403
    assert "say whether it is approved" in operator.post(f"{page}answer/", {}, follow=True).content.decode()
    assert operator.post(f"{page}answer/", {"choice": "approve"}).status_code == 302
    advance([row.id])

    assert settled(row.id).status == "success"
    assert chain.balance(recipient) == LAMPORTS
    assert "This needs your approval" not in operator.get(page).content.decode()


@pytest.fixture
def api_of(db: None) -> Callable[[str], Any]:
    from django.contrib.auth import get_user_model
    from rest_framework.test import APIClient

    from accounts.models import Member
    from accounts.services import default_team

    def client(role: str) -> Any:
        user = get_user_model().objects.create_user(username=role)
        Member.objects.create(team=default_team(), user=user, role=role)
        made = APIClient()
        made.force_login(user)
        return made

    return client


def by(actor: Actor, name: str) -> Actor:
    return replace(actor, name=name)


def test_with_two_approvers_it_is_signed_after_the_second_person(
    actor: Actor, workflow: Workflow, recipient: str, chain: LocalChain
) -> None:
    """A token of the same person is the same person."""
    workflow_update(actor=actor, workflow=workflow, changes={"approvers": 2})
    row = asked(workflow)

    execution_approve(actor=by(actor, "user:alice"), execution=row)
    with pytest.raises(Refused) as error:
        execution_approve(actor=by(actor, "token:alice/ci"), execution=row)
    advance([row.id])
    assert (error.value.code, execution(row.id).waiting_for, Attempt.objects.count()) == (
        "already_approved",
        "approval",
        0,
    )

    execution_approve(actor=by(actor, "user:bob"), execution=row)
    advance([row.id])
    settled(row.id)
    assert chain.balance(recipient) == LAMPORTS
    assert Approval.objects.get().approved_by == ["alice", "bob"]


def test_one_refusal_ends_what_another_person_has_approved(actor: Actor, workflow: Workflow) -> None:
    workflow_update(actor=actor, workflow=workflow, changes={"approvers": 2})
    row = asked(workflow)
    execution_approve(actor=by(actor, "user:alice"), execution=row)

    execution_reject(actor=by(actor, "user:bob"), execution=row)

    assert (execution(row.id).status, execution(row.id).error_code) == ("failed", "approval_refused")
