"""`manage.py rotate_encryption_keys`: everything that is encrypted, under the newest keys (docs/keys.md)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from accounts.actors import system
from accounts.errors import Refused
from accounts.services import default_team
from solflow.rotation import rotate

NAMED = 20


class Command(BaseCommand):
    help = (
        "Open everything that is encrypted and close it again under the newest of FIELD_ENCRYPTION_KEYS and SECRET_KEY,"
        " while SolFlow runs. May be run again at any time. Exit code 1 when a box opens with no key here."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = rotate(actor=system(default_team(), "command"))
        except Refused as error:
            raise CommandError(error.detail) from error
        except DatabaseError as error:
            raise CommandError(f"the database does not answer: {str(error).splitlines()[0]}") from error
        for kind, count in done.resealed.items():
            under = done.newest[kind]
            self.stdout.write(f"{kind.replace('_', ' ')}: {count} closed anew, {under} under the newest key")
        if done.shut:
            more = f" and {len(done.shut) - NAMED} more" if len(done.shut) > NAMED else ""
            raise CommandError(f"no key here opens: {', '.join(done.shut[:NAMED])}{more}. Keep the old keys.")
        self.stdout.write("Nothing needs an older key, but backups that were made before.")
