"""Writers: users as such, beyond their teams. For superusers, who may enter the admin and belong to no team by that."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Refused
from accounts.models import Member, Role, Team
from accounts.services import default_team


def team_of(user: User) -> Team:
    """In whose audit log stands what is done to a user: the first team that has them, or the installation's first."""
    member = Member.objects.select_related("team").filter(user=user).order_by("created_at", "id").first()
    return member.team if member is not None else default_team()


@transaction.atomic
def user_deactivate(actor: Actor, user: User) -> None:
    """No session, password or token of the user is taken from now on.

    Raises:
        Refused: a team or this installation would be left without an admin.
    """
    locked = _locked(user)
    if not locked.is_active:
        return
    _keep_an_admin_in_each_team(locked)
    _keep_a_superuser(locked)
    _change(actor, locked, "user_deactivated", is_active=False)


@transaction.atomic
def user_activate(actor: Actor, user: User) -> None:
    """The user may sign in again."""
    locked = _locked(user)
    if not locked.is_active:
        _change(actor, locked, "user_activated", is_active=True)


@transaction.atomic
def superuser_make(actor: Actor, user: User) -> None:
    """The user may enter Django's admin and act in every team."""
    locked = _locked(user)
    if not (locked.is_superuser and locked.is_staff):
        _change(actor, locked, "superuser_made", is_superuser=True, is_staff=True)


@transaction.atomic
def superuser_end(actor: Actor, user: User) -> None:
    """The user may enter Django's admin no more; memberships stay.

    Raises:
        Refused: nobody else could enter it.
    """
    locked = _locked(user)
    if locked.is_superuser or locked.is_staff:
        _keep_a_superuser(locked)
        _change(actor, locked, "superuser_ended", is_superuser=False, is_staff=False)


def _locked(user: User) -> User:
    """The user as they are now. Teams come first, as in `people.services`; one lock for all superusers, so that two who
    demote each other do not both succeed."""
    teams = Member.objects.filter(user=user).values("team_id")
    list(Team.objects.select_for_update().filter(pk__in=teams).order_by("pk"))
    list(User.objects.select_for_update().filter(is_superuser=True).order_by("pk"))
    return User.objects.select_for_update().get(pk=user.pk)


def _keep_an_admin_in_each_team(user: User) -> None:
    admins = Member.objects.filter(role=Role.ADMIN, user__is_active=True)
    for member in admins.filter(user=user).select_related("team"):
        if not admins.filter(team=member.team_id).exclude(user=user).exists():
            raise Refused(f"the team {member.team} needs an admin: make somebody else one first", code="last_admin")


def _keep_a_superuser(user: User) -> None:
    superusers = User.objects.filter(is_superuser=True, is_active=True)
    if user.is_superuser and not superusers.exclude(pk=user.pk).exists():
        raise Refused("somebody must be able to enter the admin: promote another user first", code="last_admin")


def _change(actor: Actor, user: User, action: str, **columns: bool) -> None:
    for name, value in columns.items():
        setattr(user, name, value)
    user.save(update_fields=list(columns))
    audit.record(actor, action, "user", user.pk, target_name=user.get_username())
