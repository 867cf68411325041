"""Who the tests are about: alice administers the first team, bob operates it, carol looks on, charlie has a team of his
own."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from rest_framework.test import APIClient

from accounts.actors import Actor
from accounts.models import Member, Role, Team
from accounts.services import SCOPES, default_team, token_create


@dataclass(frozen=True)
class Person:
    """A member of a team, and the way to the API with their token."""

    user: AbstractBaseUser
    actor: Actor

    def client(self, *scopes: str) -> APIClient:
        """An API client with a new token of these scopes, by default of all."""
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {self.token(*scopes)}")
        return client

    def token(self, *scopes: str) -> str:
        """A new token of these scopes, by default of all."""
        _, text = token_create(actor=self.actor, user=self.user, name="test", scopes=scopes or SCOPES)
        return text


def person(name: str, role: Role, team: Team | None = None) -> Person:
    """A new user with a role in a team, by default the first."""
    team = team or default_team()
    user = get_user_model().objects.create_user(username=name, password="correct horse battery staple")
    Member.objects.create(team=team, user=user, role=role)
    return Person(user, Actor(team=team, name=f"user:{name}", role=role, address="192.0.2.1"))
