"""`manage.py pause [REASON]`: stop all signing at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.actors import system
from accounts.services import default_team
from executions.pauses import installation_pause


class Command(BaseCommand):
    help = "Stop all signing at once. When this returns, nothing more is signed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reason", nargs="?", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        may_still_land = installation_pause(actor=system(default_team(), "command"), reason=options["reason"])
        self.stdout.write("Paused: nothing more is signed. `manage.py resume` lifts it.")
        for signature in may_still_land:
            self.stdout.write(f"Sent before and may still land: {signature}")
