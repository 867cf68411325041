"""`manage.py backup FILE`: the whole database in one file, while SolFlow runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from solflow.backups import BackupError, write
from solflow.database_session import database_at_hand
from solflow.embedded.errors import EmbeddedError


class Command(BaseCommand):
    help = "Write a consistent backup of the database. SolFlow may run meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="replace a file that exists")

    def handle(self, *args: Any, **options: Any) -> None:
        target = options["file"].absolute()
        try:
            with database_at_hand():
                size_bytes = write(target, overwrite=options["force"])
        except (BackupError, EmbeddedError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"the database does not answer: {str(error).splitlines()[0]}") from error
        self.stdout.write(f"{target}: {size_bytes} bytes")
        self.stdout.write(
            "It holds the signers' keys sealed. Nothing opens them but FIELD_ENCRYPTION_KEYS (with `up`: secrets.json"
            " in its data directory): keep a copy of those too, in another place."
        )
