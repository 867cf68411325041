"""`manage.py export_workflows [--output FILE]`: a team's workflows as one JSON document (docs/exchange.md)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import Missing
from workflows.exports import export_of
from workflows.management.team import add_team, chosen_team
from workflows.selectors import workflow_find, workflow_list


class Command(BaseCommand):
    help = "Write a team's workflows, with what they name, as one JSON document without secrets."

    def add_arguments(self, parser: CommandParser) -> None:
        add_team(parser)
        parser.add_argument(
            "--workflow", action="append", metavar="ID|NAME", help="this one only; may be given several times"
        )
        parser.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        team = chosen_team(options)
        try:
            named = [workflow_find(team=team, named=name) for name in options["workflow"] or ()]
        except Missing as error:
            raise CommandError(error.detail) from error
        document = export_of(team=team, workflows=named or workflow_list(team=team).select_related("signer"))
        text = json.dumps(document, indent=2, ensure_ascii=False)
        if options["output"] is None:
            self.stdout.write(text)
            return
        _write(options["output"], text + "\n")
        self.stderr.write(f"{options['output']}: {len(document['workflows'])} workflows")


def _write(target: Path, text: str) -> None:
    """The file has its name only when all of it is there."""
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CommandError(f"{target} cannot be written ({error.strerror})") from error
