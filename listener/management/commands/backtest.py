"""`manage.py backtest WORKFLOW --slots N [--json]`: what a workflow would have done with what has happened."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import ServiceError
from accounts.services import default_team
from executions.preview import subject
from listener.backtest import report
from listener.backtest.run import backtest
from workflows.selectors import workflow_find

MOST_SLOTS = 100_000_000


class Command(BaseCommand):
    help = (
        "What a workflow would have done in the last slots: the past of what it watches, through the same matching, "
        "filter and limits. Payments are simulated; nothing is signed, sent or stored."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("workflow", metavar="WORKFLOW", help="its id or its name")
        parser.add_argument(
            "--slots", type=_slots, required=True, metavar="N", help="how far to look back; an hour is about 9000 slots"
        )
        parser.add_argument("--draft", action="store_true", help="the draft instead of the live definition")
        parser.add_argument("--all", action="store_true", help="list everything, not only the last ones")
        parser.add_argument("--json", action="store_true", help="all of it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            workflow = workflow_find(team=default_team(), named=options["workflow"])
            tried = subject(workflow=workflow, use_draft=options["draft"])
            found = backtest(subject=tried, slots=options["slots"], tell=self._tell)
        except ServiceError as error:
            raise CommandError(error.detail) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.document(found), ensure_ascii=False, indent=2))
            return
        for line in report.lines(found, everything=options["all"]):
            self.stdout.write(line)

    def _tell(self, line: str) -> None:
        self.stderr.write(f"{line}…")


def _slots(text: str) -> int:
    try:
        slots = int(text)
    except ValueError:
        slots = 0
    if not 1 <= slots <= MOST_SLOTS:
        raise argparse.ArgumentTypeError(f"--slots is {text}; it must be a whole number from 1 to {MOST_SLOTS}")
    return slots
