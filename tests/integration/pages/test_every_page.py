"""What holds for every page: who may see it, what it costs, that it needs no other method than its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.actors import Actor
from accounts.models import Member, Role, Team
from accounts.people.services import invitation_create
from accounts.services import token_create
from executions.models import Delivery
from tests.executing import new_address
from tests.idls import TOKEN
from tests.integration.pages.conftest import browser, ended, landed, pending
from tests.people import Person, person
from workflows.models import Channel, Signer, Workflow
from workflows.services import address_list_create, idl_create

# Session, person, member and frame are four of them.
MOST_QUERIES = 12
READ = [
    "overview",
    "workflows:list",
    "workflows:export-all",
    "executions:list",
    "signers:list",
    "channels:list",
    "address-lists:list",
    "idls:list",
    "notifications:list",
    "notifications:preview",
    "audit",
    "endpoints",
    "inbox",
    "team:members",
    "settings:own",
    "settings:token-create",
    "settings:password",
    "settings:second-factor-codes",
    "settings:second-factor-end",
    "settings:passkey-create",
]
WRITE = [
    "workflows:start",
    "workflows:create",
    "workflows:import",
    "workflows:gallery",
    "signers:create",
    "channels:create",
    "address-lists:create",
    "idls:create",
    "team:invite",
]
OWN = ["settings:second-factor-begin", "settings:sessions-end", "settings:passkey-made"]
OPERATE = ["pause", "resume", "notifications:resend-all", "executions:retry-marked"]

# Somebody else's token is none of a member's business: it does not exist for them.
REFUSED = {"SETTINGS:TOKEN-REVOKE": 404}


def addresses(workflow: Workflow, signer: Signer, channel: Channel, execution_id: str) -> dict[str, tuple[str, str]]:
    """Every page by name: the least role, and its address. Those in capitals only take POST."""
    of_workflow, of_execution = {"workflow_id": workflow.id}, {"execution_id": execution_id}
    of_delivery = {"delivery_id": Delivery.objects.filter(channel=channel).latest("id").pk}
    of_token, of_member, of_invitation = people_of(workflow.team)
    return {
        **{name: ("viewer", reverse(name)) for name in READ},
        **{name: ("admin", reverse(name)) for name in WRITE},
        **{name.upper(): ("operator", reverse(name)) for name in OPERATE},
        **{name.upper(): ("viewer", reverse(name)) for name in OWN},
        "SETTINGS:TOKEN-REVOKE": ("admin", reverse("settings:token-revoke", kwargs=of_token)),
        "TEAM:ROLE": ("admin", reverse("team:role", kwargs=of_member)),
        "TEAM:REMOVE": ("admin", reverse("team:remove", kwargs=of_member)),
        "TEAM:INVITATION-REVOKE": ("admin", reverse("team:invitation-revoke", kwargs=of_invitation)),
        "workflows:detail": ("viewer", reverse("workflows:detail", kwargs=of_workflow)),
        "workflows:edit": ("admin", reverse("workflows:edit", kwargs=of_workflow)),
        "workflows:recipe": ("admin", reverse("workflows:recipe", kwargs={"slug": "heartbeat"})),
        "workflows:export": ("viewer", reverse("workflows:export", kwargs=of_workflow)),
        "WORKFLOWS:DUPLICATE": ("admin", reverse("workflows:duplicate", kwargs=of_workflow)),
        "workflows:builder": ("admin", reverse("workflows:builder", kwargs=of_workflow)),
        "WORKFLOWS:BUILDER-JSON": ("admin", reverse("workflows:builder-json", kwargs=of_workflow)),
        "workflows:versions": ("viewer", reverse("workflows:versions", kwargs=of_workflow)),
        "WORKFLOWS:RETURN": ("admin", reverse("workflows:return", kwargs={**of_workflow, "number": 1})),
        "WORKFLOWS:BUILDER-TEST": ("admin", reverse("workflows:builder-test", kwargs=of_workflow)),
        "WORKFLOWS:PUBLISH": ("admin", reverse("workflows:publish", kwargs=of_workflow)),
        "WORKFLOWS:DISCARD": ("admin", reverse("workflows:discard", kwargs=of_workflow)),
        "WORKFLOWS:ENABLE": ("admin", reverse("workflows:enable", kwargs=of_workflow)),
        "WORKFLOWS:DISABLE": ("admin", reverse("workflows:disable", kwargs=of_workflow)),
        "WORKFLOWS:PAUSE": ("operator", reverse("workflows:pause", kwargs=of_workflow)),
        "WORKFLOWS:RESUME": ("operator", reverse("workflows:resume", kwargs=of_workflow)),
        "WORKFLOWS:RUN": ("operator", reverse("workflows:run", kwargs=of_workflow)),
        "WORKFLOWS:WEBHOOK-SECRET": ("admin", reverse("workflows:webhook-secret", kwargs=of_workflow)),
        "executions:detail": ("viewer", reverse("executions:detail", kwargs=of_execution)),
        "EXECUTIONS:RETRY": ("operator", reverse("executions:retry", kwargs=of_execution)),
        "EXECUTIONS:REPLAY": ("operator", reverse("executions:replay", kwargs=of_execution)),
        "EXECUTIONS:ANSWER": ("operator", reverse("executions:answer", kwargs=of_execution)),
        "EXECUTIONS:RESOLVE": ("operator", reverse("executions:resolve", kwargs=of_execution)),
        **books(workflow.team),
        "signers:detail": ("viewer", reverse("signers:detail", kwargs={"signer_id": signer.id})),
        "SIGNERS:PAUSE": ("operator", reverse("signers:pause", kwargs={"signer_id": signer.id})),
        "SIGNERS:RESUME": ("operator", reverse("signers:resume", kwargs={"signer_id": signer.id})),
        "NOTIFICATIONS:RESEND": ("operator", reverse("notifications:resend", kwargs=of_delivery)),
        "channels:detail": ("viewer", reverse("channels:detail", kwargs={"channel_id": channel.id})),
        "channels:edit": ("admin", reverse("channels:edit", kwargs={"channel_id": channel.id})),
        "CHANNELS:SIGNING-SECRET": ("admin", reverse("channels:signing-secret", kwargs={"channel_id": channel.id})),
        "CHANNELS:DISABLE": ("operator", reverse("channels:disable", kwargs={"channel_id": channel.id})),
        "CHANNELS:ENABLE": ("operator", reverse("channels:enable", kwargs={"channel_id": channel.id})),
        "CHANNELS:TEST": ("operator", reverse("channels:test", kwargs={"channel_id": channel.id})),
        "CHANNELS:DELETE": ("admin", reverse("channels:delete", kwargs={"channel_id": channel.id})),
    }


def books(team: Team) -> dict[str, tuple[str, str]]:
    """A list of the team with an address in it, and an IDL."""
    by = Actor(team=team, name="user:alice", role=Role.ADMIN)
    entry = {"address": new_address(), "label": "Vault"}
    of_list = {"list_id": address_list_create(actor=by, name="Vaults", entries=[entry]).id}
    of_idl = {"idl_id": idl_create(actor=by, name="token", document=TOKEN).id}
    return {
        "address-lists:detail": ("viewer", reverse("address-lists:detail", kwargs=of_list)),
        "address-lists:edit": ("admin", reverse("address-lists:edit", kwargs=of_list)),
        "ADDRESS-LISTS:ADD": ("admin", reverse("address-lists:add", kwargs=of_list)),
        "ADDRESS-LISTS:REMOVE": ("admin", reverse("address-lists:remove", kwargs=of_list)),
        "ADDRESS-LISTS:DELETE": ("admin", reverse("address-lists:delete", kwargs=of_list)),
        "idls:detail": ("viewer", reverse("idls:detail", kwargs=of_idl)),
        "IDLS:DELETE": ("admin", reverse("idls:delete", kwargs=of_idl)),
    }


def people_of(team: Team) -> tuple[dict[str, Any], ...]:
    """Somebody in the team whom nobody of the tests is, with a token, and an open invitation."""
    dave = person("dave", Role.OPERATOR, team)
    token, _ = token_create(actor=dave.actor, user=dave.user, name="of dave")
    by = Actor(team=team, name="user:alice", role=Role.ADMIN)
    invitation, _ = invitation_create(actor=by, name="Erin", role=Role.VIEWER)
    member = Member.objects.get(user=dave.user)
    return {"token_id": token.id}, {"member_id": member.id}, {"invitation_id": invitation.id}


@pytest.fixture
def every(workflow: Workflow, signer: Signer, channel: Channel) -> dict[str, tuple[str, str]]:
    return addresses(workflow, signer, channel, landed(workflow, channel).execution_id)


def ask(client: Client, name: str, url: str) -> Any:
    return client.post(url) if name.isupper() else client.get(url)


def test_a_stranger_is_sent_to_the_sign_in_page_by_every_page(every: dict[str, tuple[str, str]], db: None) -> None:
    for name, (_, url) in every.items():
        response = ask(Client(), name, url)
        assert (response.status_code, response.url.partition("?")[0]) == (302, "/login/"), name


@pytest.mark.parametrize("who", ["carol", "bob", "alice"])
def test_a_role_opens_its_pages_and_no_more(
    who: str, every: dict[str, tuple[str, str]], request: pytest.FixtureRequest
) -> None:
    roles = {"carol": ("viewer",), "bob": ("viewer", "operator"), "alice": ("viewer", "operator", "admin")}
    client = browser(request.getfixturevalue(who))
    for name, (role, url) in every.items():
        allowed = (200, 302, 422) if name.isupper() else (200,)
        expected = allowed if role in roles[who] else (REFUSED.get(name, 403),)
        assert ask(client, name, url).status_code in expected, name


def test_what_belongs_to_another_team_does_not_exist(every: dict[str, tuple[str, str]], charlie: Person) -> None:
    client = browser(charlie)
    general = ["workflows:recipe", *READ, *WRITE] + [name.upper() for name in (*OPERATE, *OWN)]
    named = {name: url for name, (_, url) in every.items() if ":" in name and name not in general}
    for name, url in named.items():
        assert ask(client, name, url).status_code == 404, name


def test_the_lists_of_another_team_show_nothing_of_ours(
    every: dict[str, tuple[str, str]], workflow: Workflow, signer: Signer, charlie: Person
) -> None:
    client = browser(charlie)
    for name in set(READ) - {"inbox"}:
        text = client.get(every[name][1]).content.decode()
        assert workflow.name not in text and signer.address not in text, name


def test_a_change_is_never_made_by_a_get(every: dict[str, tuple[str, str]], pages: Client) -> None:
    for name, (_, url) in every.items():
        if name.isupper():
            assert pages.get(url).status_code == 405, name


def test_a_change_without_the_csrf_token_is_refused(every: dict[str, tuple[str, str]], alice: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice.user)
    for name, (_, url) in every.items():
        if name.isupper() or name in WRITE:
            response = client.post(url)
            assert response.status_code == 403 and "This form has expired" in response.content.decode(), name


def test_no_page_asks_the_database_more_for_more_rows(
    every: dict[str, tuple[str, str]],
    make: Callable[..., Workflow],
    channel: Channel,
    pages: Client,
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(4):
        workflow = make(f"Workflow {number}")
        landed(workflow, channel)
        landed(workflow, channel, delivery="dead")
        ended(workflow, "failed", error_code="build_failed", error_detail="no such account")
        pending(workflow)
    # Once a minute the session notes when it was used.
    pages.get("/")
    for name, (_, url) in every.items():
        if not name.isupper():
            with django_assert_max_num_queries(MOST_QUERIES, info=name):
                assert pages.get(url).status_code == 200


def test_an_unknown_thing_is_a_designed_404(pages: Client) -> None:
    for url in (f"/workflows/{uuid4()}/", "/executions/" + "0" * 64 + "/", "/nowhere/"):
        response = pages.get(url)
        assert response.status_code == 404
        assert "There is nothing at this address" in response.content.decode()


def test_hostile_parameters_find_nothing_and_break_nothing(workflow: Workflow, pages: Client) -> None:
    for value in ("\x00", "%", "'", "<script>", "x" * 5000, "[]", "-1"):
        for name in ("q", "status", "workflow", "before", "actor", "action"):
            for page in ("workflows:list", "executions:list", "audit"):
                response = pages.get(reverse(page), {name: value})
                assert response.status_code == 200, (page, name, value)
                assert "<script>" not in response.content.decode().replace("<script src=", "")
