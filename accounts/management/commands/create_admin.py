"""`manage.py create_admin USER`: the first user of an installation that `up` did not make."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.services import user_ensure

PASSWORD_BYTES = 15


class Command(BaseCommand):
    help = "Make USER, an admin of the default team and of this installation. The password is shown once, as last word."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")

    def handle(self, *args: Any, **options: Any) -> None:
        username, password = options["user"], secrets.token_urlsafe(PASSWORD_BYTES)
        try:
            get_user_model()._meta.get_field("username").clean(username, None)
        except ValidationError as error:
            raise CommandError(f"user {username!r}: {' '.join(error.messages)}") from error
        if not user_ensure(username=username, password=password, by="command"):
            raise CommandError(f"there is a user {username!r} already; give another password by `changepassword`")
        self.stdout.write(f"password of {username}, shown this once: {password}")
