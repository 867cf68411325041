"""`Authorization: Token <token>` for the API."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import addresses
from accounts.actors import Actor
from accounts.models import ApiToken, Member, Role
from accounts.services import token_digest

LAST_USE_RESOLUTION = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """Finds the token by its hash; sets `request.auth` to it and `request.actor` to who it acts as."""

    keyword = "Token"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"token":
            return None
        if len(parts) != 2 or not parts[1].isascii():
            raise AuthenticationFailed("the header must be `Authorization: Token <token>`")
        token = (
            ApiToken.objects.select_related("user", "team")
            .filter(digest=token_digest(parts[1].decode("ascii")))
            .first()
        )
        now = timezone.now()
        if (
            token is None
            or token.revoked_at
            or (token.expires_at and token.expires_at <= now)
            or not token.user.is_active
        ):
            raise AuthenticationFailed("the token is unknown, expired or revoked")
        member = Member.objects.filter(team=token.team, user=token.user).first()
        if member is None:
            raise AuthenticationFailed("the token's user has left the team")
        # Once a minute is enough to see that a token is in use, and keeps reads from writing at every request.
        if token.last_used_at is None or now - token.last_used_at > LAST_USE_RESOLUTION:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        request._request.actor = Actor(  # type: ignore[attr-defined]
            team=token.team,
            name=f"token:{token.user.get_username()}/{token.name}",
            role=Role(member.role),
            address=addresses.of(request),
        )
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword
