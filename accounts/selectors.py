"""Readers of accounts."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from accounts.actors import Actor
from accounts.errors import Missing
from accounts.models import AuditEntry, Installation, Member, Role, Team

# Distinct values of all that was ever logged would be a read of all of it.
NAMES_AMONG = 5000


def actor_of(user: AbstractBaseUser | AnonymousUser, address: str | None) -> Actor | None:
    """The actor that a logged-in user is in the first team that has them; None for strangers."""
    if not user.is_authenticated:
        return None
    member = Member.objects.select_related("team").filter(user_id=user.pk).order_by("created_at", "id").first()
    if member is None:
        return None
    return Actor(team=member.team, name=f"user:{user.get_username()}", role=Role(member.role), address=address)


def team_find(*, named: str) -> Team:
    """By id or by name, as people name it in a command. Missing where there is none or more than one."""
    try:
        wanted = Q(name=named) | Q(pk=UUID(named))
    except ValueError:
        wanted = Q(name=named)
    found = list(Team.objects.filter(wanted)[:2])
    if not found:
        raise Missing(f"there is no team {named!r}")
    if len(found) > 1:
        raise Missing(f"more than one team is named {named!r}: give its id")
    return found[0]


def installation() -> Installation:
    """The row about this database; made by the first migration."""
    return Installation.objects.get(pk=1)


def audit_entries(*, team: Team) -> QuerySet[AuditEntry]:
    """The team's audit entries, newest first."""
    return AuditEntry.objects.filter(team=team).order_by("-id")


def audit_names(*, team: Team) -> tuple[list[str], list[str]]:
    """The actors and the actions among the team's newest entries, for the page's filters."""
    newest = audit_entries(team=team)[:NAMES_AMONG]
    pairs = AuditEntry.objects.filter(id__in=newest.values("id")).order_by().values_list("actor", "action").distinct()
    known = list(pairs)
    return sorted({actor for actor, _ in known}), sorted({action for _, action in known})
