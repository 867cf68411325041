"""`manage.py restore FILE`: put a backup in the database's place. SolFlow starts paused afterwards."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, OperationalError, connections
from django.utils import timezone

from executions.models import Heartbeat
from solflow.backups import BackupError
from solflow.database_session import database_at_hand
from solflow.embedded.errors import EmbeddedError
from solflow.restores import load

SEEN_WITHIN = timedelta(seconds=30)
NEXT = """Restored. Everything is paused, because payments may have been made since the backup. Next:
  1. start SolFlow
  2. manage.py reconcile --after-restore   finds those payments on the chain and records them
  3. manage.py resume                      lifts the pause
Keep FIELD_ENCRYPTION_KEYS (secrets.json) of the installation that made the backup: nothing else opens its keys.
Changes of balances and accounts that happened between the backup and the next start run no workflow."""


class Command(BaseCommand):
    help = (
        "Replace the database by a backup. The worker and the listener must be stopped; everything is paused after it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="although a worker or a listener seems to run")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with database_at_hand() as nobody_else:
                if not nobody_else and not options["force"]:
                    self._refuse_while_in_use()
                load(options["file"].absolute())
        except (BackupError, EmbeddedError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"the database does not answer: {str(error).splitlines()[0]}") from error
        self.stdout.write(NEXT)

    def _refuse_while_in_use(self) -> None:
        try:
            seen = Heartbeat.objects.filter(at__gt=timezone.now() - SEEN_WITHIN).order_by("-at").first()
        except OperationalError:
            raise
        except DatabaseError:
            connections.close_all()
            return  # no tables yet: a database that was just made
        if seen is not None:
            raise CommandError(
                f"the {seen.kind} {seen.name} was seen in the last {SEEN_WITHIN.seconds} s: stop SolFlow first, "
                "or use --force if it is not running"
            )
