"""Every action that the audit log knows, each with a call that must write it."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import ApiToken, AuditEntry, Invitation, Member, Passkey, Role, SecondFactor
from accounts.people import services as people
from accounts.people import users
from accounts.second_factor import passkeys, totp
from accounts.second_factor.ceremonies import Site
from accounts.second_factor.services import (
    second_factor_begin,
    second_factor_enable,
    second_factor_remove,
    second_factor_renew_codes,
    seed_of,
)
from accounts.services import token_create, token_revoke, user_ensure
from executions import after_restore
from executions.approvals import execution_approve, execution_reject
from executions.models import Approval, Delivery, Execution
from executions.notify import channel_test
from executions.pauses import installation_pause, installation_resume
from executions.pipeline import advance
from executions.resends import deliveries_resend, delivery_resend
from executions.resolutions import Claim, execution_resolve
from executions.services import execution_replay, execution_retry, execution_run
from tests.authenticator import Authenticator
from tests.integration.pages.conftest import DISCORD_URL, WATCHED, browser, ended, landed, parked, paying, pending
from tests.local_chain import LocalChain
from tests.people import Person, person
from workflows import services
from workflows.exports import export_of
from workflows.models import AddressList, Channel, Idl, Signer, Workflow
from workflows.services.channel_health import channel_switch_off, channel_switch_on
from workflows.services.draft import draft_discard, draft_save
from workflows.services.exchange import workflows_import

PARTS = ("accounts", "workflows", "executions", "listener", "solflow")
# Written by statements of their own, or by a function that is given the action.
WRITTEN_OTHERWISE = {
    *("login", "logout", "login_failed"),
    *("user_deactivated", "user_activated", "superuser_made", "superuser_ended"),
    *("execution_started", "execution_completed", "execution_failed"),
}
# Shown by tests of their own: below, and in solflow/test_rotation.
SHOWN_ELSEWHERE = {"execution_resolved", "encryption_keys_rotated"}
IDL = {"address": WATCHED, "instructions": []}


@dataclass
class World:
    """Alice's team with something of everything, and Dave who is in it."""

    by: Actor
    alice: Person
    dave: Person
    workflow: Workflow
    signer: Signer
    channel: Channel

    def manual(self) -> Workflow:
        definition = {"trigger": {"type": "manual"}}
        services.workflow_update(actor=self.by, workflow=self.workflow, changes={"definition": definition})
        return Workflow.objects.get(pk=self.workflow.pk)

    def another_signer(self) -> Signer:
        return services.signer_create(actor=self.by, name="other")

    def another_channel(self) -> Channel:
        config = {"url": "https://example.com/hook"}
        return services.channel_create(actor=self.by, name="hook", type="webhook", config=config)

    def list_of_addresses(self) -> AddressList:
        return services.address_list_create(actor=self.by, name="friends", entries=[])

    def idl(self) -> Idl:
        return services.idl_create(actor=self.by, name="amm", document=IDL)

    def token(self) -> ApiToken:
        return token_create(actor=self.by, user=self.alice.user, name="CI")[0]

    def invitation(self) -> tuple[Invitation, str]:
        return people.invitation_create(actor=self.by, name="Erin", role=Role.VIEWER)

    def member(self) -> Member:
        return Member.objects.get(user=self.dave.user)

    def asked(self) -> Execution:
        row = pending(self.workflow)
        Execution.objects.filter(pk=row.pk).update(waiting_for="approval")
        now = timezone.now()
        Approval.objects.create(
            execution_id=row.pk,
            team=self.by.team,
            version=self.workflow.version,
            lamports=5,
            asked_at=now,
            expires_at=now + timedelta(hours=1),
        )
        return Execution.objects.get(pk=row.pk)

    def dead(self) -> Delivery:
        landed(self.workflow, self.channel, delivery="dead")
        return Delivery.objects.get(status="dead")


def sign_in(who: str, password: str) -> None:
    Client().post("/login/", {"username": who, "password": password})


def change_password(world: World) -> None:
    new = {"new_password1": "a horse of another battery", "new_password2": "a horse of another battery"}
    browser(world.alice).post(reverse("settings:password"), {"old_password": "correct horse battery staple", **new})


def run(world: World) -> Execution:
    """An execution of a workflow that does nothing on chain, as far as it goes."""
    started = execution_run(actor=world.by, workflow=world.manual(), data={})
    advance([Execution.objects.get(execution_id=started).pk])
    return Execution.objects.get(execution_id=started)


def webhook(world: World) -> Workflow:
    definition = {"trigger": {"type": "webhook"}}
    return services.workflow_create(actor=world.by, definition=definition, settings={"name": "hook"})


def made_twice(world: World) -> None:
    workflow = webhook(world)
    for _ in range(2):
        services.webhook_secret_make(actor=world.by, workflow=workflow)


def signed_out(world: World) -> None:
    browser(world.alice).post("/logout/")


def draft_begun(world: World) -> Workflow:
    return draft_save(actor=world.by, workflow=world.workflow, change=lambda document: {**document, "filter": None})


def imported(world: World) -> None:
    exported = export_of(team=world.by.team, workflows=[world.manual()])
    workflows_import(actor=world.by, document=exported)


def signed_in() -> Client:
    client = Client()
    client.post("/login/", {"username": "alice", "password": "correct horse battery staple"})
    return client


def code_of(user: User, later: int = 0) -> str:
    seed = seed_of(SecondFactor.objects.get(user=user))
    return totp.code_at(seed, int(time.time()) // totp.PERIOD_S + later)


def second_factor_on(world: World) -> User:
    user = User.objects.get(username="alice")
    second_factor_begin(user=user)
    second_factor_enable(actor=world.by, user=user, code=code_of(user))
    return user


def codes_renewed(world: World) -> None:
    user = second_factor_on(world)
    second_factor_renew_codes(actor=world.by, user=user, code=code_of(user, later=1))


HERE = Site("http://localhost")


def passkey_added(world: World) -> tuple[User, Passkey, Authenticator]:
    user, key = second_factor_on(world), Authenticator()
    asked = passkeys.passkey_begin(user=user, site=HERE, name="Laptop", code=code_of(user, later=1))
    told = {"challenge_id": str(asked.challenge_id), "answer": key.make(asked.options)}
    return user, passkeys.passkey_register(actor=world.by, user=user, site=HERE, **told), key


def passkey_removed(world: World) -> None:
    user, passkey, _ = passkey_added(world)
    SecondFactor.objects.update(last_step=0)
    passkeys.passkey_remove(actor=world.by, user=user, passkey_id=passkey.id, code=code_of(user))


def passkey_refused(world: World) -> None:
    user, _, key = passkey_added(world)
    for count in (2, 1):
        asked = passkeys.passkey_ask(user=user, site=HERE)
        assert asked is not None
        told = {"challenge_id": str(asked.challenge_id), "answer": key.sign_in(asked.options, count=count)}
        passkeys.passkey_check(user=user, site=HERE, address=None, **told)


def switched_on(world: World) -> None:
    channel_switch_off(actor=world.by, channel=world.channel)
    channel_switch_on(actor=world.by, channel=world.channel)


def lifted(world: World) -> None:
    installation_pause(actor=world.by, reason="why")
    installation_resume(actor=world.by)


def promoted(world: World) -> None:
    users.superuser_make(world.by, world.alice.user)
    users.superuser_make(world.by, world.dave.user)


def reactivated(world: World) -> None:
    users.user_deactivate(world.by, world.dave.user)
    users.user_activate(world.by, world.dave.user)


def demoted(world: World) -> None:
    promoted(world)
    users.superuser_end(world.by, world.dave.user)


CALLS: dict[str, Callable[[World], Any]] = {
    "workflow_created": lambda w: services.workflow_create(actor=w.by, definition=paying(), settings={"name": "new"}),
    "workflow_updated": lambda w: services.workflow_update(actor=w.by, workflow=w.workflow, changes={"name": "new"}),
    "workflow_enabled": lambda w: services.workflow_enable(
        actor=w.by, workflow=services.workflow_disable(actor=w.by, workflow=w.workflow), enabled_at_slot=1
    ),
    "workflow_disabled": lambda w: services.workflow_disable(actor=w.by, workflow=w.workflow),
    "workflow_deleted": lambda w: services.workflow_delete(actor=w.by, workflow=w.workflow),
    "workflow_paused": lambda w: services.workflow_pause(actor=w.by, workflow=w.workflow, reason="why"),
    "workflow_resumed": lambda w: services.workflow_resume(
        actor=w.by, workflow=services.workflow_pause(actor=w.by, workflow=w.workflow, reason="why")
    ),
    "workflow_draft_begun": draft_begun,
    "workflow_draft_discarded": lambda w: draft_discard(actor=w.by, workflow=draft_begun(w)),
    "workflows_imported": imported,
    "webhook_secret_made": lambda w: services.webhook_secret_make(actor=w.by, workflow=webhook(w)),
    "webhook_secret_rotated": made_twice,
    "execution_started": run,
    "execution_completed": run,
    "execution_failed": lambda w: execution_reject(actor=w.by, execution=w.asked()),
    "execution_run": lambda w: execution_run(actor=w.by, workflow=w.manual(), data={}),
    "execution_retried": lambda w: execution_retry(actor=w.by, execution=ended(w.workflow, "failed")),
    "execution_replayed": lambda w: execution_replay(actor=w.by, execution=ended(w.workflow, "success")),
    "execution_approved": lambda w: execution_approve(actor=w.by, execution=w.asked()),
    "execution_rejected": lambda w: execution_reject(actor=w.by, execution=w.asked()),
    "signer_created": lambda w: w.another_signer(),
    "signer_updated": lambda w: services.signer_update(actor=w.by, signer=w.signer, changes={"name": "new"}),
    "signer_deleted": lambda w: services.signer_delete(actor=w.by, signer=w.another_signer()),
    "signer_paused": lambda w: services.signer_pause(actor=w.by, signer=w.signer, reason="why"),
    "signer_resumed": lambda w: services.signer_resume(
        actor=w.by, signer=services.signer_pause(actor=w.by, signer=w.signer, reason="why")
    ),
    "channel_created": lambda w: w.another_channel(),
    "channel_updated": lambda w: services.channel_update(actor=w.by, channel=w.channel, changes={"name": "new"}),
    "channel_deleted": lambda w: services.channel_delete(actor=w.by, channel=w.another_channel()),
    "channel_disabled": lambda w: channel_switch_off(actor=w.by, channel=w.channel),
    "channel_enabled": switched_on,
    "channel_tested": lambda w: channel_test(actor=w.by, channel=w.channel),
    "delivery_resent": lambda w: delivery_resend(actor=w.by, delivery=w.dead()),
    "deliveries_resent": lambda w: (w.dead(), deliveries_resend(actor=w.by)),
    "address_list_created": lambda w: w.list_of_addresses(),
    "address_list_updated": lambda w: services.address_list_update(
        actor=w.by, address_list=w.list_of_addresses(), changes={"name": "new"}
    ),
    "address_list_deleted": lambda w: services.address_list_delete(actor=w.by, address_list=w.list_of_addresses()),
    "idl_created": lambda w: w.idl(),
    "idl_updated": lambda w: services.idl_update(actor=w.by, idl=w.idl(), changes={"name": "new"}),
    "idl_deleted": lambda w: services.idl_delete(actor=w.by, idl=w.idl()),
    "token_created": lambda w: w.token(),
    "token_revoked": lambda w: token_revoke(actor=w.by, token=w.token()),
    "role_changed": lambda w: people.member_set_role(actor=w.by, member_id=w.member().pk, role=Role.VIEWER),
    "member_removed": lambda w: people.member_remove(actor=w.by, member_id=w.member().pk),
    "invitation_created": lambda w: w.invitation(),
    "invitation_revoked": lambda w: people.invitation_revoke(actor=w.by, invitation_id=w.invitation()[0].pk),
    "invitation_accepted": lambda w: people.invitation_accept(
        text=w.invitation()[1], username="erin", password="correct horse battery staple", address=None
    ),
    "user_created": lambda w: user_ensure(username="first", password="correct horse battery staple"),
    "user_deactivated": lambda w: users.user_deactivate(w.by, w.dave.user),
    "user_activated": reactivated,
    "superuser_made": promoted,
    "superuser_ended": demoted,
    "password_changed": change_password,
    "second_factor_enabled": second_factor_on,
    "second_factor_disabled": lambda w: second_factor_remove(w.by, second_factor_on(w)),
    "recovery_codes_renewed": codes_renewed,
    "passkey_added": passkey_added,
    "passkey_removed": passkey_removed,
    "passkey_refused": passkey_refused,
    "sessions_ended": lambda w: (signed_in(), signed_in().post(reverse("settings:sessions-end"))),
    "login": lambda w: sign_in("alice", "correct horse battery staple"),
    "login_failed": lambda w: sign_in("alice", "wrong"),
    "logout": signed_out,
    "paused": lambda w: installation_pause(actor=w.by, reason="why"),
    "resumed": lifted,
    "restore_reconciled": lambda w: after_restore.clear(actor=w.by, recovered=0),
}


@pytest.fixture
def world(alice: Person, workflow: Workflow, signer: Signer, channel: Channel) -> World:
    return World(alice.actor, alice, person("dave", Role.OPERATOR), workflow, signer, channel)


@pytest.mark.parametrize("action", CALLS)
def test_the_action_is_written_with_who_and_when_and_no_secret(action: str, world: World) -> None:
    before = AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    CALLS[action](world)
    entry = AuditEntry.objects.filter(action=action, id__gt=before).latest("id")
    assert entry.actor and entry.team == world.by.team and entry.target_type
    assert abs(timezone.now() - entry.at) < timedelta(minutes=1)
    told = f"{entry.target_name} {entry.target_id} {entry.detail}"
    assert not re.search(rf"{DISCORD_URL[-28:]}|correct horse|whsec_[^…]|sf_", told)


def test_a_decision_about_a_parked_execution_is_written(world: World, chain: LocalChain) -> None:
    chain.warp(200)
    execution_resolve(actor=world.by, execution=parked(world.workflow), claim=Claim.NOT_LANDED)
    assert AuditEntry.objects.get(action="execution_resolved").detail["claim"] == "not_landed"


def actions_in_the_source() -> Iterator[str]:
    """What is given to audit.record as its action, where that is said in place."""
    for part in PARTS:
        for path in Path(part).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record":
                    yield from (one.value for one in ast.walk(node.args[1]) if isinstance(one, ast.Constant))


def test_there_is_a_call_here_for_every_action_of_the_source() -> None:
    assert set(actions_in_the_source()) | WRITTEN_OTHERWISE == set(CALLS) | SHOWN_ELSEWHERE
