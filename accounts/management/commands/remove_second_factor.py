from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actors import system
from accounts.people.users import team_of
from accounts.second_factor.services import is_on, second_factor_remove


class Command(BaseCommand):
    help = "For somebody who has lost their phone and their recovery codes: the password alone is enough again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"nobody is called {options['username']}")
        if not is_on(user):
            raise CommandError(f"{user.username} has no second factor")
        second_factor_remove(system(team_of(user), "command"), user)
        self.stdout.write(f"{user.username} signs in with the password alone now.")
