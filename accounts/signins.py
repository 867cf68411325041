"""Who signed in and out, and who tried, in the audit log. Django's signals tell of every door: dashboard and admin.

Strangers decide how often they try, not how much is written: the first attempts of an hour have an entry each, of those
that follow the 2nd, 4th, 8th… multiple of that number, and each entry says how many there have been.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import addresses, audit, rates
from accounts.actors import Actor
from accounts.models import Role
from accounts.second_factor.services import is_on
from accounts.selectors import actor_of
from accounts.services import default_team

LONGEST_NAME = 150
COUNTED_FOR_S = 3600
# How many refusals of an hour are each worth an entry: of everybody, of one address, of one address for one name.
TOLD_OF_ALL, TOLD_OF_ADDRESS, TOLD_OF_NAME = 1000, 50, 10


@receiver(user_logged_in)
def not_by_a_password_alone(request: HttpRequest | None, user: User, **_: Any) -> None:
    """Whatever door signs somebody in who has a second factor, it must have asked for it."""
    if request is not None and is_on(user) and not getattr(request, "second_factor_shown", False):
        request.session.flush()
        raise PermissionDenied("this person signs in with a second factor")


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
    # Who has a right password and no right code is known; that they have it matters to whoever reads this.
    about = {"password": "right"} if "code" in credentials else {}
    told = _told(addresses.counted(addresses.of(request) if request is not None else None), name)
    if told is not None:
        user = get_user_model().objects.filter(username=name).first()
        _record("login_failed", request, user, name, **told, **about)


def _told(address: str, name: str) -> dict[str, Any] | None:
    """What an entry about this refusal says of its number; None when it gets none."""
    digest = sha256(name.lower().encode("utf-8", "replace")).hexdigest()[:32]
    of_address = _count("address", address)
    if of_address > TOLD_OF_ADDRESS:
        return _every_doubling(of_address, TOLD_OF_ADDRESS, "this address")
    of_name = _count("name", f"{address}|{digest}")
    if of_name > TOLD_OF_NAME:
        return _every_doubling(of_name, TOLD_OF_NAME, "this address for this name")
    # Only of those that would be told, so that one who floods hides nobody else.
    of_all = _count("all", "")
    if of_all > TOLD_OF_ALL:
        return _every_doubling(of_all, TOLD_OF_ALL, "everybody")
    return {"attempts": of_name}


def _count(whose: str, key: str) -> int:
    return rates.count_somewhere(f"refusals:{whose}:{key}", COUNTED_FOR_S)


def _every_doubling(number: int, limit: int, whose: str) -> dict[str, Any] | None:
    multiple, rest = divmod(number, limit)
    return None if rest or multiple & (multiple - 1) else {"attempts": number, "of": whose}


@transaction.atomic
def _record(action: str, request: HttpRequest | None, user: AbstractBaseUser | None, name: str, **detail: Any) -> None:
    address = addresses.of(request) if request is not None else None
    actor = actor_of(user, address) if user is not None else None
    # Nobody's name is believed before the password: a failed attempt is a stranger's, aimed at the name.
    if actor is None or action == "login_failed":
        team = actor.team if actor is not None else default_team()
        actor = Actor(team=team, name="stranger", role=Role.VIEWER, address=address)
    audit.record(actor, action, "user", user.pk if user is not None else "", target_name=name, **detail)
