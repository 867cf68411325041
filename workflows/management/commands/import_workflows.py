"""`manage.py import_workflows FILE`: the workflows of an export, all or none of them (docs/exchange.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actors import system
from accounts.errors import Invalid
from workflows.management.team import add_team, chosen_team
from workflows.services import workflows_import
from workflows.specs.exchange import MAX_FILE_BYTES

SHOWN_PROBLEMS = 20


class Command(BaseCommand):
    help = "Make the workflows of an export, none of them enabled. Nothing is made if anything in it is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        add_team(parser)
        parser.add_argument(
            "--from-other-network", action="store_true", help="take it although it was exported on another network"
        )
        parser.add_argument("file", help="what export_workflows wrote; - is standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = system(chosen_team(options), "command")
        try:
            made = workflows_import(
                actor=actor, document=_read(options["file"]), from_other_network=options["from_other_network"]
            )
        except Invalid as error:
            raise CommandError(_told(options["file"], error)) from None
        for kind, rows in (("address list", made.address_lists), ("IDL", made.idls)):
            for row in rows:
                self.stdout.write(f"{kind} {row.pk} {row.name}")
        for workflow in made.workflows:
            self.stdout.write(f"workflow {workflow.pk} {workflow.name}")
        for warning in made.warnings:
            self.stderr.write(self.style.WARNING(warning))
        self.stdout.write(f"{len(made.workflows)} workflows are imported. They watch nothing until they are enabled.")


def _read(file: str) -> bytes:
    """The file's bytes, and one more than is accepted of a larger one."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        with Path(file).open("rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{file} cannot be read ({error.strerror})") from error


def _told(file: str, error: Invalid) -> str:
    """A line for each problem."""
    lines = [f"{problem.path}: {problem.detail}" if problem.path else problem.detail for problem in error.errors]
    more = [f"and {len(lines) - SHOWN_PROBLEMS} more"] if len(lines) > SHOWN_PROBLEMS else []
    return "\n  ".join([f"{file} is not imported, nothing was changed:", *lines[:SHOWN_PROBLEMS], *more])
