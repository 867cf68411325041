"""Writers: members and their roles, invitations."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Invalid, Missing, Refused
from accounts.models import ApiToken, Invitation, Member, Role, Team
from accounts.services import token_digest

INVITATION_LASTS = timedelta(days=7)


@transaction.atomic
def member_set_role(*, actor: Actor, member_id: int, role: str) -> Member:
    """Give a member of the actor's team another role.

    Raises:
        Missing: no such member in this team.
        Invalid: no such role.
        Refused: it would leave the team without an admin.
    """
    member = _locked(actor.team, member_id)
    if role not in Role.values:
        raise Invalid.field("role", "invalid", f"must be one of {', '.join(Role.values)}")
    if member.role == role:
        return member
    _keep_an_admin(member)
    before, member.role = member.role, role
    member.save(update_fields=["role"])
    username = member.user.get_username()
    audit.record(actor, "role_changed", "user", member.user_id, target_name=username, before=before, after=role)
    return member


@transaction.atomic
def member_remove(*, actor: Actor, member_id: int) -> Member:
    """End a membership, and with it the member's tokens for this team: coming back does not bring them back.

    Raises:
        Missing: no such member in this team.
        Refused: it would leave the team without an admin.
    """
    member = _locked(actor.team, member_id)
    _keep_an_admin(member)
    tokens = ApiToken.objects.filter(team=actor.team, user_id=member.user_id, revoked_at=None)
    revoked = tokens.update(revoked_at=timezone.now())
    username = member.user.get_username()
    audit.record(actor, "member_removed", "user", member.user_id, target_name=username, tokens_revoked=revoked)
    member.delete()
    return member


@transaction.atomic
def invitation_create(*, actor: Actor, name: str, role: str) -> tuple[Invitation, str]:
    """A new invitation and the secret part of its link, which is not kept.

    Raises:
        Invalid: no such role.
    """
    if role not in Role.values:
        raise Invalid.field("role", "invalid", f"must be one of {', '.join(Role.values)}")
    text = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        team=actor.team,
        role=role,
        name=name,
        digest=token_digest(text),
        expires_at=timezone.now() + INVITATION_LASTS,
    )
    audit.record(actor, "invitation_created", "invitation", invitation.id, target_name=name, role=role)
    return invitation, text


@transaction.atomic
def invitation_revoke(*, actor: Actor, invitation_id: UUID) -> None:
    """Make an unused link worthless.

    Raises:
        Missing: no open invitation of this team.
    """
    row = Invitation.objects.select_for_update().filter(
        team=actor.team, pk=invitation_id, used_at=None, revoked_at=None
    )
    invitation = row.first()
    if invitation is None:
        raise Missing("no such invitation")
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    audit.record(actor, "invitation_revoked", "invitation", invitation.id, target_name=invitation.name)


def invitation_open(text: str) -> Invitation:
    """The invitation that a link names.

    Raises:
        Missing: it never existed, is used, revoked or expired; which of them is not told.
    """
    return _open(text, lock=False)


@transaction.atomic
def invitation_accept(*, text: str, username: str, password: str, address: str | None) -> User:
    """Make the invited person a user and a member; the link works no more.

    Raises:
        Missing: as `invitation_open`.
        Invalid: the name is taken, or the password is weak.
    """
    invitation = _open(text, lock=True)
    user = User(username=username)
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise Invalid.field("username", "invalid", " ".join(error.messages)) from error
    if get_user_model().objects.filter(username__iexact=username).exists():
        raise Invalid.field("username", "taken", "somebody has this name")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid.field("password", "weak", " ".join(error.messages)) from error
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise Invalid.field("username", "taken", "somebody has this name") from error
    Member.objects.create(team=invitation.team, user=user, role=invitation.role)
    invitation.used_at = timezone.now()
    invitation.save(update_fields=["used_at"])
    actor = Actor(team=invitation.team, name=f"user:{username}", role=Role(invitation.role), address=address)
    audit.record(actor, "invitation_accepted", "user", user.pk, target_name=username, role=invitation.role)
    return user


def _open(text: str, *, lock: bool) -> Invitation:
    rows = Invitation.objects.select_for_update(of=("self",)) if lock else Invitation.objects.all()
    invitation = (
        rows.select_related("team")
        .filter(digest=token_digest(text), used_at=None, revoked_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if invitation is None:
        raise Missing("this invitation is unknown, used or expired")
    return invitation


def _locked(team: Team, member_id: int) -> Member:
    """The member, with the team locked: two admins who remove each other at once must not both succeed."""
    Team.objects.select_for_update().get(pk=team.pk)
    member = Member.objects.select_related("user").filter(team=team, pk=member_id).first()
    if member is None:
        raise Missing("no such member")
    return member


def _keep_an_admin(member: Member) -> None:
    others = Member.objects.filter(team=member.team_id, role=Role.ADMIN, user__is_active=True).exclude(pk=member.pk)
    if member.role == Role.ADMIN and not others.exists():
        raise Refused("a team needs an admin: make somebody else one first", code="last_admin")
