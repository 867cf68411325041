"""`manage.py resume`: lift the pause of everything."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.actors import system
from accounts.services import default_team
from executions.pauses import installation_resume


class Command(BaseCommand):
    help = "Lift the pause; executions that waited run, unless they have become too old."

    def handle(self, *args: Any, **options: Any) -> None:
        installation_resume(actor=system(default_team(), "command"))
        self.stdout.write("The pause is lifted.")
