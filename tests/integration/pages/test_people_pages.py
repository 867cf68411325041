"""The team, its invitations, API tokens and passwords, as a person meets them in a browser."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.errors import Refused
from accounts.models import ApiToken, AuditEntry, Invitation, Member, Role
from accounts.people.services import member_remove, member_set_role
from tests.integration.pages.conftest import browser
from tests.people import Person, person

PASSWORD = "correct horse battery staple"


def member(who: Person) -> Member:
    return Member.objects.get(user=who.user)


def shown_once(response: Any) -> str:
    found = re.search(r'<pre class="code wrap p-4"[^>]*>([^<]+)</pre>', response.content.decode())
    assert found, response.content
    return found[1]


def make_token(client: Client, level: str = "run", days: str = "30") -> str:
    return shown_once(client.post(reverse("settings:token-create"), {"name": "CI", "level": level, "days": days}))


def ask_with(token: str) -> int:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client.get("/api/v1/workflows/").status_code


def test_a_token_is_shown_once_works_and_ends_when_it_is_revoked(pages: Client) -> None:
    text = make_token(pages)
    assert text not in pages.get(reverse("settings:own")).content.decode()
    assert ask_with(text) == 200
    token = ApiToken.objects.get()
    assert (token.scopes, token.expires_at is None) == (["read", "run"], False)
    assert token.last_used_at is not None
    pages.post(reverse("settings:token-revoke", args=[token.id]))
    assert ask_with(text) == 401
    assert text not in str(list(AuditEntry.objects.values_list("detail", "target_name")))


def test_a_viewer_is_not_offered_more_than_reading(carol: Person) -> None:
    client = browser(carol)
    refused = client.post(reverse("settings:token-create"), {"name": "CI", "level": "write", "days": ""})
    assert refused.status_code == 422
    assert not ApiToken.objects.exists()
    make_token(client, "read", "")


def test_one_sees_and_revokes_ones_own_tokens_and_an_admin_all(pages: Client, bob: Person, carol: Person) -> None:
    make_token(browser(bob), "run")
    token = ApiToken.objects.get()
    assert "of bob" not in browser(carol).get(reverse("settings:own")).content.decode()
    assert browser(carol).post(reverse("settings:token-revoke", args=[token.id])).status_code == 404
    assert "of bob" in pages.get(reverse("settings:own")).content.decode()
    assert pages.post(reverse("settings:token-revoke", args=[token.id])).status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_role_holds_from_the_next_request_on(pages: Client, bob: Person) -> None:
    theirs, token = browser(bob), bob.client()
    assert theirs.get(reverse("team:invite")).status_code == 403
    pages.post(reverse("team:role", args=[member(bob).id]), {"role": "admin"})
    assert theirs.get(reverse("team:invite")).status_code == 200
    pages.post(reverse("team:role", args=[member(bob).id]), {"role": "viewer"})
    assert token.post("/api/v1/pause/", {}, format="json").status_code == 403
    assert AuditEntry.objects.filter(action="role_changed").count() == 2


def test_a_member_who_is_removed_loses_session_and_tokens(pages: Client, bob: Person) -> None:
    theirs, token = browser(bob), bob.client()
    pages.post(reverse("team:remove", args=[member(bob).id]))
    assert theirs.get(reverse("workflows:list")).status_code == 403
    assert token.get("/api/v1/workflows/").status_code == 401
    assert not ApiToken.objects.filter(user=bob.user, revoked_at=None).exists()


@pytest.mark.parametrize("how", ["remove", "role"])
def test_a_team_keeps_its_last_admin(how: str, pages: Client, alice: Person) -> None:
    response = pages.post(reverse(f"team:{how}", args=[member(alice).id]), {"role": "viewer"}, follow=True)
    assert "a team needs an admin" in response.content.decode()
    assert member(alice).role == Role.ADMIN


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_remove_each_other_at_once_leave_one() -> None:
    alice, bob = person("alice", Role.ADMIN), person("bob", Role.ADMIN)
    ids = {alice.user.pk: member(alice).id, bob.user.pk: member(bob).id}
    outcomes: list[str] = []

    def remove(by: Person, whom: Person) -> None:
        try:
            member_remove(actor=by.actor, member_id=ids[whom.user.pk])
            outcomes.append("removed")
        except Refused as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in ((alice, bob), (bob, alice))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["last_admin", "removed"]
    assert Member.objects.filter(role=Role.ADMIN).count() == 1


def test_a_role_that_does_not_exist_is_refused(alice: Person, bob: Person, pages: Client) -> None:
    pages.post(reverse("team:role", args=[member(bob).id]), {"role": "owner"})
    assert member(bob).role == Role.OPERATOR
    member_set_role(actor=alice.actor, member_id=member(bob).id, role="operator")


def invited(pages: Client, role: str = "viewer") -> str:
    link = shown_once(pages.post(reverse("team:invite"), {"name": "Erin", "role": role}))
    return link.removeprefix("http://testserver")


def test_an_invitation_makes_one_member_once(pages: Client) -> None:
    link = invited(pages, "operator")
    stranger = Client()
    page = stranger.get(link)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert stranger.post(link, {"username": "erin", "password": "short"}).status_code == 422
    assert stranger.post(link, {"username": "ALICE", "password": PASSWORD}).status_code == 422
    assert stranger.post(link, {"username": "erin", "password": PASSWORD}).status_code == 302
    assert stranger.get(reverse("workflows:list")).status_code == 200
    assert Member.objects.get(user__username="erin").role == Role.OPERATOR
    assert Client().get(link).status_code == 404
    assert Client().post(link, {"username": "eve", "password": PASSWORD}).status_code == 404
    assert not get_user_model().objects.filter(username="eve").exists()


def test_an_invitation_that_is_revoked_or_old_lets_nobody_in(pages: Client) -> None:
    link = invited(pages)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(link).status_code == 404
    other = invited(pages)
    pages.post(reverse("team:invitation-revoke", args=[Invitation.objects.latest("created_at").id]))
    assert Client().post(other, {"username": "eve", "password": PASSWORD}).status_code == 404


def test_an_invitation_is_kept_as_a_hash_only(pages: Client) -> None:
    text = invited(pages).split("/")[2]
    row = Invitation.objects.values().get()
    assert text not in str(row)
    assert text not in str(list(AuditEntry.objects.values()))


def test_a_new_password_ends_other_sessions(pages: Client, alice: Person) -> None:
    elsewhere = browser(alice)
    fields = {"old_password": PASSWORD, "new_password1": "another long staple", "new_password2": "another long staple"}
    assert pages.post(reverse("settings:password"), {**fields, "old_password": "wrong"}).status_code == 200
    assert elsewhere.get(reverse("overview")).status_code == 200
    assert pages.post(reverse("settings:password"), fields).status_code == 302
    assert elsewhere.get(reverse("overview")).status_code == 302
    assert pages.get(reverse("overview")).status_code == 200
    assert AuditEntry.objects.filter(action="password_changed").count() == 1
