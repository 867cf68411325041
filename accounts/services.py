"""Writers of accounts: teams, first users, tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor, system
from accounts.errors import Invalid
from accounts.models import ApiToken, Member, Role, Team

SCOPES = ("read", "run", "write")
TOKEN_PREFIX = "sf_"  # noqa: S105 - lets secret scanners recognise one


def token_digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def token_create(
    *,
    actor: Actor,
    user: User,
    name: str,
    scopes: Sequence[str] = SCOPES,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its text, which is not kept and cannot be shown again.

    Raises:
        Invalid: a scope that does not exist, or none.
    """
    if not scopes or set(scopes) - set(SCOPES):
        raise Invalid.field("scopes", "invalid", f"must be some of {', '.join(SCOPES)}")
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        team=actor.team,
        user=user,
        name=name,
        digest=token_digest(text),
        shown=text[:8],
        scopes=list(scopes),
        expires_at=expires_at,
    )
    audit.record(actor, "token_created", "token", token.id, target_name=name, scopes=list(scopes))
    return token, text


@transaction.atomic
def token_revoke(*, actor: Actor, token: ApiToken) -> None:
    """The token is refused from now on."""
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    audit.record(actor, "token_revoked", "token", token.id, target_name=token.name)


@transaction.atomic
def user_ensure(*, username: str, password: str, by: str = "up") -> bool:
    """Make the first user, an admin of the default team; True if it was made, False if it was there.

    `by` is what the audit log shows as the one who did it."""
    users = get_user_model()
    team = default_team()
    if users.objects.filter(username=username).exists():
        return False
    user = users.objects.create_superuser(username=username, password=password)
    Member.objects.create(team=team, user=user, role=Role.ADMIN)
    audit.record(system(team, by), "user_created", "user", user.pk, target_name=username, role=Role.ADMIN)
    return True


def default_team() -> Team:
    """The team that the first migration made."""
    return Team.objects.order_by("created_at", "id").first() or Team.objects.create(name="Default")
