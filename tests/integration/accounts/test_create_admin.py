"""The first user of an installation that `up` did not make."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditEntry, Member, Role

pytestmark = pytest.mark.django_db


def create_admin(name: str) -> str:
    said = StringIO()
    call_command("create_admin", name, stdout=said)
    return said.getvalue().split()[-1]


def test_the_password_that_it_prints_opens_the_dashboard(client: Client) -> None:
    password = create_admin("ada")
    answer = client.post("/login/", {"username": "ada", "password": password})
    assert (answer.status_code, client.get("/").status_code) == (302, 200)
    assert Member.objects.get(user__username="ada").role == Role.ADMIN
    assert AuditEntry.objects.filter(action="user_created", actor="system:command").exists()


def test_a_user_that_is_there_keeps_the_password(client: Client) -> None:
    password = create_admin("ada")
    with pytest.raises(CommandError, match="there is a user 'ada' already"):
        create_admin("ada")
    assert client.post("/login/", {"username": "ada", "password": password}).status_code == 302


@pytest.mark.parametrize("name", ["", "a" * 151, "two words"])
def test_a_name_that_nobody_can_have_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match=f"user '{name}'"):
        create_admin(name)
