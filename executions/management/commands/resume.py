"""`manage.py resume [--workflow … | --signer …]`: lift a pause."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actors import system
from accounts.errors import ServiceError
from accounts.services import default_team
from executions.management.pausable import add_choice, chosen
from executions.pauses import installation_resume
from workflows.models import Workflow
from workflows.services import signer_resume, workflow_resume


class Command(BaseCommand):
    help = "Lift the pause of everything, or that of a workflow or a signer; what waited runs, unless it is too old."

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        team = default_team()
        actor, one = system(team, "command"), chosen(team, options)
        try:
            if one is None:
                installation_resume(actor=actor)
            elif isinstance(one, Workflow):
                workflow_resume(actor=actor, workflow=one)
            else:
                signer_resume(actor=actor, signer=one)
        except ServiceError as error:
            raise CommandError(error.detail) from error
        self.stdout.write("The pause is lifted." if one is None else f"The pause of {one.name} is lifted.")
