"""`manage.py pause [REASON] [--workflow … | --signer …]`: stop signing at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.actors import system
from accounts.services import default_team
from executions.management.pausable import add_choice, chosen
from executions.pauses import installation_pause, may_still_land
from workflows.models import Workflow
from workflows.services import signer_pause, workflow_pause


class Command(BaseCommand):
    help = "Stop all signing at once, or that of a workflow or a signer. When this returns, nothing more is signed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reason", nargs="?", default="")
        add_choice(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        team, reason = default_team(), options["reason"]
        actor, one = system(team, "command"), chosen(team, options)
        if one is None:
            what, lift = "Paused", "manage.py resume"
            landing = installation_pause(actor=actor, reason=reason)
        elif isinstance(one, Workflow):
            workflow_pause(actor=actor, workflow=one, reason=reason)
            what, lift = f"The workflow {one.name} is paused", f"manage.py resume --workflow {one.pk}"
            landing = may_still_land(workflow=one)
        else:
            signer_pause(actor=actor, signer=one, reason=reason)
            what, lift = f"The signer {one.name} is paused", f"manage.py resume --signer {one.pk}"
            landing = may_still_land(signer=one)
        self.stdout.write(f"{what}: nothing more is signed. `{lift}` lifts it.")
        for signature in landing:
            self.stdout.write(f"Sent before and may still land: {signature}")
