"""Who signed in and out, and who tried, in the audit log. Django's signals tell of every door: dashboard and admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import audit
from accounts.actors import Actor
from accounts.models import Role
from accounts.selectors import actor_of
from accounts.services import default_team

LONGEST_NAME = 150


@receiver(user_logged_in)
def signed_in(request: HttpRequest | None, user: AbstractBaseUser, **_: Any) -> None:
    _record("login", request, user, user.get_username())


@receiver(user_logged_out)
def signed_out(request: HttpRequest | None, user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:
        _record("logout", request, user, user.get_username())


@receiver(user_login_failed)
def refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """A wrong name or password; with a name that nobody has, in the first team's log."""
    name = str(credentials.get("username", "")).replace("\x00", "")[:LONGEST_NAME]
    user = get_user_model().objects.filter(username=name).first()
    _record("login_failed", request, user, name)


@transaction.atomic
def _record(action: str, request: HttpRequest | None, user: AbstractBaseUser | None, name: str) -> None:
    address = request.META.get("REMOTE_ADDR") if request is not None else None
    actor = actor_of(user, address) if user is not None else None
    # Nobody's name is believed before the password: a failed attempt is a stranger's, aimed at the name.
    if actor is None or action == "login_failed":
        team = actor.team if actor is not None else default_team()
        actor = Actor(team=team, name="stranger", role=Role.VIEWER, address=address)
    audit.record(actor, action, "user", user.pk if user is not None else "", target_name=name)
