from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import base58
import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from solders.keypair import Keypair

from accounts.errors import Refused
from accounts.models import AuditEntry, Role
from accounts.people.users import superuser_end
from executions.models import Attempt, Delivery, Execution, Heartbeat, RateUnit, Reservation
from executions.services import execution_run
from tests.local_chain import LocalChain
from tests.people import Person, person
from workflows.models import Channel, Signer, Workflow
from workflows.services import (
    address_list_create,
    channel_create,
    idl_create,
    signer_create,
    workflow_create,
    workflow_disable,
    workflow_enable,
    workflow_update,
)

OURS = ("accounts", "workflows", "executions", "listener")
ADDRESS = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"
SECRET_KEY = Keypair()
DISCORD_URL = "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123"


@pytest.fixture
def alice(db: None) -> Person:
    return person("alice", Role.ADMIN)


@pytest.fixture
def root(client: Client, db: None) -> Client:
    """A superuser's browser."""
    client.force_login(get_user_model().objects.create_superuser(username="root", password="x"))
    return client


@pytest.fixture
def rows(alice: Person) -> dict[str, Any]:
    """One row of every table that a workflow touches."""
    actor, now = alice.actor, timezone.now()
    signer = signer_create(actor=actor, name="treasury", secret_key=list(bytes(SECRET_KEY)))
    channel = channel_create(actor=actor, name="ops", type="discord", config={"webhook_url": DISCORD_URL})
    address_list_create(actor=actor, name="friends", entries=[{"address": ADDRESS}])
    idl_create(actor=actor, name="amm", document={"address": ADDRESS, "instructions": []})
    made = workflow_create(
        actor=actor, definition={"trigger": {"type": "manual"}}, settings={"name": "pay"}, signer_id=signer.id
    )
    workflow = workflow_enable(actor=actor, workflow=made, enabled_at_slot=0)
    execution = Execution.objects.get(execution_id=execution_run(actor=actor, workflow=workflow, data={}))
    Attempt.objects.create(
        execution_id=execution.pk,
        number=1,
        signer=signer,
        signature="5" * 88,
        raw=b"raw",
        blockhash="b",
        last_valid_block_height=1,
        genesis_hash="g",
        signed_at=now,
        status="expired",
    )
    RateUnit.objects.create(execution_id=execution.pk, workflow=workflow, at=now)
    Reservation.objects.create(execution_id=execution.pk, workflow=workflow, signer=signer, lamports=5, at=now)
    delivery = Delivery.objects.create(
        execution_id=execution.pk,
        team=actor.team,
        channel=channel,
        outcome="success",
        status="dead",
        next_attempt_at=now,
    )
    Heartbeat.objects.create(name="worker@x", kind="worker", at=now)
    return {"workflow": workflow, "execution": execution, "delivery": delivery, "signer": signer}


def act(client: Client, row: Any, action: str) -> str:
    """Do an action with one row from its list; gives the page that follows."""
    url = f"/admin/{row._meta.app_label}/{row._meta.model_name}/"
    answer = client.post(url, {"action": action, "_selected_action": [row.pk]}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_model_of_ours_has_an_admin_page() -> None:
    ours = {model for app in OURS for model in apps.get_app_config(app).get_models()}
    assert ours <= set(admin.site._registry)


@pytest.mark.parametrize("model", [model for app in OURS for model in apps.get_app_config(app).get_models()])
def test_lists_and_details_show_rows_and_never_a_secret(root: Client, rows: dict[str, Any], model: Any) -> None:
    url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    pages = [root.get(url)]
    first = model.objects.order_by("pk").first()
    if first is not None:
        pages.append(root.get(f"{url}{first.pk}/change/"))
    raw = bytes(SECRET_KEY)
    secrets = [base58.b58encode(raw).decode(), raw.hex(), str(list(raw)), DISCORD_URL[-30:]]
    for page in pages:
        assert page.status_code == 200
        assert not [secret for secret in secrets if secret in page.content.decode()]


def test_a_list_makes_no_query_for_each_row(
    root: Client, rows: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    for name in ("executions/attempt", "executions/delivery", "workflows/workflow", "executions/execution"):
        with django_assert_max_num_queries(9):
            root.get(f"/admin/{name}/")


def test_nothing_can_be_changed_or_deleted_by_hand(root: Client, rows: dict[str, Any]) -> None:
    signer: Signer = rows["signer"]
    url = f"/admin/workflows/signer/{signer.pk}/"
    assert root.post(f"{url}change/", {"name": "new"}).status_code == 403
    assert root.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    assert root.get("/admin/workflows/signer/add/").status_code == 403


def test_workflow_actions_call_the_services_under_the_admins_name(root: Client, rows: dict[str, Any]) -> None:
    workflow: Workflow = rows["workflow"]
    act(root, workflow, "pause")
    act(root, workflow, "disable")
    workflow.refresh_from_db()
    assert (workflow.enabled, workflow.paused_at is None) == (False, False)
    act(root, workflow, "resume")
    act(root, workflow, "enable")
    workflow.refresh_from_db()
    assert (workflow.enabled, workflow.paused_at) == (True, None)
    actions = AuditEntry.objects.filter(actor="admin:root").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["workflow_paused", "workflow_disabled", "workflow_resumed", "workflow_enabled"]


def test_a_signer_is_paused(root: Client, rows: dict[str, Any]) -> None:
    act(root, rows["signer"], "pause")
    assert Signer.objects.get().paused_reason
    act(root, rows["signer"], "resume")
    assert Signer.objects.get().paused_at is None


def test_what_a_service_refuses_is_said_and_not_done(root: Client, rows: dict[str, Any]) -> None:
    assert "only a failed or throttled execution is retried" in act(root, rows["execution"], "retry")
    assert Execution.objects.get().status == "pending"


def test_executions_are_retried_and_replayed(root: Client, rows: dict[str, Any]) -> None:
    Execution.objects.update(status="failed")
    assert "Retried: 1" in act(root, rows["execution"], "retry")
    assert Execution.objects.get().status == "pending"
    assert "Replayed: 1" in act(root, rows["execution"], "replay")
    assert Execution.objects.filter(replay_of=rows["execution"].execution_id).count() == 1


def test_a_replay_may_run_the_version_that_the_execution_ran(root: Client, rows: dict[str, Any], alice: Person) -> None:
    workflow = rows["workflow"]
    definition = {"trigger": {"type": "manual"}, "filter": {"field": "event.slot", "op": "exists", "value": True}}
    workflow_update(actor=alice.actor, workflow=workflow, changes={"definition": definition})
    assert "Replayed: 1" in act(root, rows["execution"], "replay_same")
    assert "Replayed: 1" in act(root, rows["execution"], "replay")
    replays = Execution.objects.filter(replay_of=rows["execution"].execution_id).order_by("id")
    assert [replay.version.number for replay in replays] == [1, 2]


def test_a_workflow_is_run_now_or_the_refusal_is_said(root: Client, rows: dict[str, Any], alice: Person) -> None:
    assert "Started: 1" in act(root, rows["workflow"], "run")
    assert Execution.objects.count() == 2
    workflow_disable(actor=alice.actor, workflow=rows["workflow"])
    assert "the workflow is not enabled" in act(root, rows["workflow"], "run")
    assert Execution.objects.count() == 2


@pytest.mark.parametrize("action", ["resolve_landed", "resolve_sign_again", "resolve_give_up"])
def test_only_a_parked_execution_is_decided(root: Client, rows: dict[str, Any], action: str) -> None:
    assert "does not wait for a person" in act(root, rows["execution"], action)
    assert Execution.objects.get().status == "pending"


@pytest.mark.parametrize(
    ("action", "status"),
    [("resolve_landed", "success"), ("resolve_sign_again", "pending"), ("resolve_give_up", "failed")],
)
def test_a_parked_execution_is_decided(
    root: Client, rows: dict[str, Any], local_gateway: LocalChain, action: str, status: str
) -> None:
    Execution.objects.update(status="processing", waiting_for="person")
    local_gateway.warp(60)
    act(root, rows["execution"], action)
    decided = Execution.objects.get()
    assert (decided.status, decided.waiting_for) == (status, None)
    assert AuditEntry.objects.get(action="execution_resolved").actor == "admin:root"


def test_a_dead_message_is_sent_again(root: Client, rows: dict[str, Any]) -> None:
    assert "Due again: 1" in act(root, rows["delivery"], "resend")
    assert Delivery.objects.get().status == "pending"


def test_an_execution_is_found_by_the_beginning_of_its_id(root: Client, rows: dict[str, Any]) -> None:
    execution: Execution = rows["execution"]
    assert (
        execution.execution_id
        in root.get(f"/admin/executions/execution/?q={execution.execution_id[:8]}").content.decode()
    )
    assert execution.execution_id not in root.get("/admin/executions/execution/?q=zzzz").content.decode()


def test_staff_who_are_no_superusers_cannot_act(client: Client, alice: Person, rows: dict[str, Any]) -> None:
    staff = get_user_model().objects.create_user(username="staff", password="x", is_staff=True)
    client.force_login(staff)
    workflow: Workflow = rows["workflow"]
    answer = client.post("/admin/workflows/workflow/", {"action": "disable", "_selected_action": [workflow.pk]})
    assert answer.status_code == 403
    assert Workflow.objects.get().enabled


def test_the_channel_list_shows_the_mask(root: Client, rows: dict[str, Any]) -> None:
    assert Channel.objects.get().shown["webhook_url"] in root.get("/admin/workflows/channel/").content.decode()


def test_the_last_who_may_enter_is_neither_deactivated_nor_kept_out(root: Client, rows: dict[str, Any]) -> None:
    user = User.objects.get(username="root")
    for action in ("deactivate", "demote"):
        assert "promote another user first" in act(root, user, action)
    user.refresh_from_db()
    assert (user.is_active, user.is_superuser) == (True, True)


def test_the_last_admin_of_a_team_is_not_deactivated(root: Client, alice: Person) -> None:
    assert "needs an admin" in act(root, alice.user, "deactivate")
    person("erin", Role.ADMIN)
    assert "Deactivated: 1" in act(root, alice.user, "deactivate")
    alice.user.refresh_from_db()
    assert not alice.user.is_active
    assert "needs an admin" in act(root, User.objects.get(username="erin"), "deactivate")


def test_a_deactivated_person_is_out_at_once_and_comes_back(root: Client, alice: Person) -> None:
    person("erin", Role.ADMIN)
    browser, api = Client(), alice.client()
    browser.force_login(alice.user)
    act(root, alice.user, "deactivate")
    assert (browser.get("/").status_code, api.get("/api/v1/workflows/").status_code) == (302, 401)
    act(root, alice.user, "activate")
    assert api.get("/api/v1/workflows/").status_code == 200


def test_two_superusers_who_demote_each_other_at_once_leave_one(transactional_db: None, alice: Person) -> None:
    both = [User.objects.create_superuser(username=name, password="x") for name in ("one", "two")]
    at_once = threading.Barrier(2)

    def demote(user: User) -> None:
        at_once.wait()
        with suppress(Refused):
            superuser_end(alice.actor, user)
        connection.close()

    threads = [threading.Thread(target=demote, args=(user,)) for user in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert User.objects.filter(is_superuser=True).count() == 1


def test_whoever_is_promoted_may_enter_and_a_password_is_set_for_them(root: Client, alice: Person) -> None:
    act(root, alice.user, "promote")
    url = f"/admin/auth/user/{alice.user.pk}"
    assert f"{url}/password/" in root.get(f"{url}/change/").content.decode()
    new = {"usable_password": "true", "password1": "another horse of battery", "password2": "another horse of battery"}
    assert root.post(f"{url}/password/", new).status_code == 302
    entered = Client()
    assert entered.login(request=HttpRequest(), username="alice", password="another horse of battery")
    assert entered.get("/admin/").status_code == 200
    assert AuditEntry.objects.filter(action="password_changed", target_name="alice", actor="admin:root").exists()


def test_users_are_not_edited_by_a_form(root: Client, alice: Person) -> None:
    url = f"/admin/auth/user/{alice.user.pk}/"
    assert root.post(f"{url}change/", {"username": "mallory"}).status_code == 403
    assert root.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    assert root.get("/admin/auth/user/add/").status_code == 403
    assert root.get("/admin/auth/group/").status_code == 404
    assert "pbkdf2" not in root.get(f"{url}change/").content.decode()


def test_staff_do_not_set_passwords(client: Client, alice: Person, rows: dict[str, Any]) -> None:
    staff = User.objects.create_user(username="staff", password="x", is_staff=True)
    client.force_login(staff)
    assert client.get(f"/admin/auth/user/{alice.user.pk}/password/").status_code == 403
