"""Every route of the resolver, asked by everybody: what a role opens, and that nothing else reads or changes anything.

A route without an expectation fails: pages have theirs in test_every_page, what is not a page has it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Role
from accounts.throttling import TokenThrottle
from executions.models import Delivery
from tests.integration.pages.conftest import browser, landed
from tests.integration.pages.test_every_page import addresses
from tests.people import Person
from workflows.models import Channel, Signer, Workflow
from workflows.services import address_list_create, idl_create

VIEWER, OPERATOR, ADMIN = Role.VIEWER, Role.OPERATOR, Role.ADMIN
COLLECTION = {"GET": VIEWER, "POST": ADMIN}
ROW = {"GET": VIEWER, "PUT": ADMIN, "PATCH": ADMIN, "DELETE": ADMIN}
# The least role for each method; every other method is 405.
API = {
    "workflows/": COLLECTION,
    "workflows/<uuid:pk>/": ROW,
    "workflows/<uuid:pk>/duplicate/": {"POST": ADMIN},
    "workflows/<uuid:pk>/enable/": {"POST": ADMIN},
    "workflows/<uuid:pk>/disable/": {"POST": ADMIN},
    "workflows/<uuid:pk>/publish/": {"POST": ADMIN},
    "workflows/<uuid:pk>/webhook-secret/": {"POST": ADMIN},
    "workflows/<uuid:pk>/versions/": {"GET": VIEWER},
    "workflows/<uuid:pk>/run/": {"POST": OPERATOR},
    "workflows/<uuid:pk>/test/": {"POST": OPERATOR},
    "workflows/<uuid:pk>/pause/": {"POST": OPERATOR, "DELETE": OPERATOR},
    "workflows/export/": {"GET": VIEWER},
    "workflows/import/": {"POST": ADMIN},
    "executions/": {"GET": VIEWER},
    "executions/<execution_id:execution_id>/": {"GET": VIEWER},
    "executions/<execution_id:execution_id>/retry/": {"POST": OPERATOR},
    "executions/<execution_id:execution_id>/replay/": {"POST": OPERATOR},
    "executions/<execution_id:execution_id>/approve/": {"POST": OPERATOR},
    "executions/<execution_id:execution_id>/reject/": {"POST": OPERATOR},
    "executions/<execution_id:execution_id>/resolve/": {"POST": OPERATOR},
    "signers/": COLLECTION,
    "signers/<uuid:pk>/": {"GET": VIEWER, "PATCH": ADMIN, "DELETE": ADMIN},
    "signers/<uuid:pk>/pause/": {"POST": OPERATOR, "DELETE": OPERATOR},
    "channels/": COLLECTION,
    "channels/<uuid:pk>/": ROW,
    "channels/<uuid:pk>/enable/": {"POST": OPERATOR},
    "channels/<uuid:pk>/disable/": {"POST": OPERATOR},
    "channels/<uuid:pk>/preview/": {"POST": OPERATOR},
    "channels/<uuid:pk>/test/": {"POST": OPERATOR},
    "channels/<uuid:pk>/signing-secret/": {"POST": ADMIN},
    "deliveries/": {"GET": VIEWER},
    "deliveries/resend/": {"POST": OPERATOR},
    "deliveries/<int:pk>/": {"GET": VIEWER},
    "deliveries/<int:pk>/resend/": {"POST": OPERATOR},
    "address-lists/": COLLECTION,
    "address-lists/<uuid:pk>/": ROW,
    "idls/": COLLECTION,
    "idls/<uuid:pk>/": ROW,
    "subscriptions/": {"GET": VIEWER},
    "gaps/": {"GET": VIEWER},
    "rpc-endpoints/": {"GET": VIEWER},
    "audit/": {"GET": VIEWER},
    "pause/": {"GET": VIEWER, "POST": OPERATOR, "DELETE": OPERATOR},
    "stats/": {"GET": VIEWER},
}
# What each says by itself to whom: probes, documents, what a signature or a link opens, signing in and out.
OPEN = {
    "healthz": "says only that it is up",
    "readyz": "says which part does not work",
    "metrics": "figures without names; a proxy keeps them in",
    "api/schema/": "the document",
    "api/docs/": "the document to look at",
    "api/^(?P<path>.*)$": "404",
    "hooks/<uuid:workflow_id>/": "a signature or a secret opens it (executions/test_hooks)",
    r"^inbox/api/webhooks/(?P<webhook_id>\d{1,20})/(?P<token>[\w-]{1,200})$": "a fake Discord, local only",
    "login/": "the door",
    "login/code/": "its second step (accounts/test_second_factor, accounts/test_passkeys)",
    "logout/": "the way out",
    "settings/second-factor/": "one's own (accounts/test_second_factor)",
    "settings/passkeys/<uuid:passkey_id>/remove/": "one's own (accounts/test_passkeys)",
    "settings/sessions/<slug:session_id>/end/": "one's own (accounts/test_sessions)",
    "events/stream": "a member gets their team's, others 403 (acceptance/test_live_pages)",
    "invitations/<str:text>/": "a link opens it (test_people_pages)",
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
RANK = {VIEWER: 0, OPERATOR: 1, ADMIN: 2}
OWN = {
    "accounts_session",
    "accounts_secondfactor",
    "auth_user",
    "accounts_apitoken",
    "accounts_auditentry",
    "accounts_auditunsealed",
    "executions_tally",
}


def routes(resolver: URLResolver | None = None, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Every route with its name."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route, space + (pattern.name or "")
        else:
            yield from routes(pattern, route, f"{space}{pattern.namespace}:" if pattern.namespace else space)


@pytest.fixture(autouse=True)
def nobody_is_too_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenThrottle, "allow_request", lambda *_: True)


@pytest.fixture
def world(workflow: Workflow, signer: Signer, channel: Channel, alice: Person) -> dict[str, Any]:
    """What stands in a route for something of alice's team: by resource, or by the name of the parameter."""
    execution = landed(workflow, channel)
    by = alice.actor
    return {
        "workflows": workflow.id,
        "signers": signer.id,
        "channels": channel.id,
        "deliveries": Delivery.objects.get(channel=channel).pk,
        "address-lists": address_list_create(actor=by, name="friends of ours", entries=[]).id,
        "idls": idl_create(actor=by, name="amm of ours", document={"address": signer.address, "instructions": []}).id,
        "execution_id": execution.execution_id,
        "workflow_id": workflow.id,
        "pages": addresses(workflow, signer, channel, execution.execution_id),
    }


def address_of(route: str, world: dict[str, Any]) -> str:
    """An API route, with what belongs to alice's team in it."""
    resource = route.split("/")[0]
    filled = route.replace("<execution_id:execution_id>", world["execution_id"])
    return "/api/v1/" + re.sub(r"<\w+:pk>", str(world.get(resource)), filled)


def asked(client: Any, method: str, url: str) -> Any:
    return getattr(client, method.lower())(url, data={}, format="json")


def test_every_route_has_an_expectation(world: dict[str, Any]) -> None:
    pages = {name.lower() for name in world["pages"]}
    unexpected = [
        route
        for route, name in routes()
        if not (route in OPEN or route.removeprefix("api/v1/") in API or name in pages or route.startswith("admin/"))
    ]
    assert unexpected == [], "say in test_every_page.addresses, or in API or OPEN here, who may ask for these"


def test_no_expectation_is_about_a_route_that_is_gone(world: dict[str, Any]) -> None:
    known = {route for route, _ in routes()}
    assert {f"api/v1/{route}" for route in API} | set(OPEN) <= known
    assert {name.lower() for name in world["pages"]} <= {name for _, name in routes()}


@pytest.mark.parametrize("who", ["alice", "bob", "carol"])
def test_a_role_opens_what_it_may_of_the_api_and_no_more(
    who: str, world: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    person: Person = request.getfixturevalue(who)
    client = person.client()
    client.raise_request_exception = False
    # In this order what is deleted is asked for last.
    for route, methods in API.items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if route.endswith("<uuid:pk>/") and method == "DELETE" and who == "alice":
                continue
            answer = asked(client, method, address_of(route, world))
            said = (who, method, route, answer.status_code)
            if method not in methods:
                assert answer.status_code == 405 or (answer.status_code == 403 and who != "alice"), said
            elif RANK[person.actor.role] < RANK[methods[method]]:
                assert answer.status_code == 403, said
            else:
                assert answer.status_code in (200, 201, 202, 204, 400, 409, 503), said


def test_a_stranger_opens_nothing_of_the_api(world: dict[str, Any]) -> None:
    for route in API:
        for method in METHODS:
            assert asked(APIClient(), method, address_of(route, world)).status_code == 401, (method, route)


def test_of_another_team_nothing_is_there(world: dict[str, Any], workflow: Workflow, charlie: Person) -> None:
    client = charlie.client()
    ours = (workflow.name, str(workflow.id), world["execution_id"], "friends of ours", "amm of ours", "treasury")
    nobodys = {**dict.fromkeys(world, uuid4()), "deliveries": 2**40, "execution_id": "0" * 64}
    for route, methods in API.items():
        for method in methods:
            answer = asked(client, method, address_of(route, world))
            if "<" in route:
                # A body may be judged before the row is looked for; then nothing is told of the row.
                assert answer.status_code in (404, 400), (method, route, answer.status_code)
                assert answer.content == asked(client, method, address_of(route, nobodys)).content, (method, route)
            assert not [name for name in ours if name in answer.content.decode()], (method, route)


@pytest.mark.parametrize("scope", ["read", "run"])
def test_a_token_opens_no_more_than_its_scope(scope: str, world: dict[str, Any], alice: Person) -> None:
    client = alice.client(*("read", "run")[: ("read", "run").index(scope) + 1])
    rank = {"read": 0, "run": 1}[scope]
    for route, methods in API.items():
        for method, role in methods.items():
            if RANK[role] > rank:
                assert asked(client, method, address_of(route, world)).status_code == 403, (method, route)


def test_the_admin_lets_nobody_in_who_is_no_superuser(world: dict[str, Any], alice: Person, carol: Person) -> None:
    for client in (Client(), browser(alice), browser(carol)):
        for route, name in routes():
            if not route.startswith("admin/") or route == "admin/login/" or name == "admin:logout":
                continue
            url = "/" + re.sub(r"\^?\(\?P<\w+>[^)]*\)\$?|<[^>]*>", "1", route)
            for method in ("get", "post"):
                answer = getattr(client, method)(url)
                assert answer.status_code in (302, 404), (method, url, answer.status_code)
                assert answer.status_code == 404 or answer.url.startswith("/admin/login/"), (url, answer.url)


def everything() -> dict[str, str]:
    """A digest of every table, but for what people leave behind by being there."""
    digests = {}
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - OWN
    with connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(f'SELECT md5(string_agg(row::text, chr(10) ORDER BY row::text)) FROM "{table}" row')
            digests[table] = cursor.fetchone()[0]
    return digests


def every_address(world: dict[str, Any]) -> Iterator[str]:
    yield from (address_of(route, world) for route in API)
    yield from (url for _, url in world["pages"].values())
    yield from ("/healthz", "/metrics", "/api/schema/", "/api/docs/", "/login/", f"/hooks/{uuid4()}/")
    yield from (f"/hooks/{world['workflow_id']}/", "/invitations/made-up/")
    yield from (
        "/" + re.sub(r"\^?\(\?P<\w+>[^)]*\)\$?|<[^>]*>", "1", route) for route, _ in routes() if "admin" in route
    )


@pytest.mark.parametrize("who", ["nobody", "carol", "charlie"])
def test_whatever_is_asked_by_whoever_may_not_nothing_changes(
    who: str, world: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    clients: list[Any] = [Client(raise_request_exception=False)]
    if who != "nobody":
        person: Person = request.getfixturevalue(who)
        clients = [browser(person), person.client()]
    by_then = AuditEntry.objects.latest("id").id
    before = everything()
    # What stops everybody is for every operator, and one's own token and password are one's own.
    skipped = ("/pause/", "/resume/", "/api/v1/pause/", "/logout/")
    for url in every_address(world):
        if who == "charlie" and url in skipped:
            continue
        for method in METHODS:
            for client in clients:
                answer = getattr(client, method.lower())(url)
                assert answer.status_code < 500, (method, url)
    assert everything() == before
    done = set(AuditEntry.objects.filter(id__gt=by_then).values_list("action", flat=True))
    assert done <= {"login", "login_failed", "logout"}
