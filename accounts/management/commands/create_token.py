"""`manage.py create_token USER`: a token with all scopes; the token is the last word printed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from accounts.actors import system
from accounts.models import Member
from accounts.services import token_create


class Command(BaseCommand):
    help = "Make an API token with all scopes for USER. It is shown once, as the last word."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--name", default="command line")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["user"]).first()
        member = (
            Member.objects.select_related("team").filter(user=user).order_by("created_at").first() if user else None
        )
        if user is None or member is None:
            raise CommandError(f"there is no user {options['user']!r} who is a member of a team")
        _, text = token_create(actor=system(member.team, "command"), user=user, name=options["name"])
        self.stdout.write(f"token of {user.get_username()} for {member.team.name}, shown this once: {text}")
