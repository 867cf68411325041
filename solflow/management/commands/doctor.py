"""`manage.py doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandParser

from solflow.doctor import Finding, Level, examine

MARKS = {Level.OK: "ok  ", Level.WARN: "WARN", Level.FAIL: "FAIL"}


class Command(BaseCommand):
    help = (
        "Check settings, database, Redis, broker, endpoints, signers' balances, clocks, disk and the parts, and say "
        "what to do. Exit code 1 when something failed, 0 otherwise; with --strict 1 for warnings too."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings too")

    def handle(self, *args: Any, **options: Any) -> None:
        levels: Counter[Level] = Counter()
        for finding in examine():
            levels[finding.level] += 1
            self._tell(finding, as_json=options["json"])
        if not options["json"]:
            self.stdout.write(self._summary(levels))
        if levels[Level.FAIL] or (options["strict"] and levels[Level.WARN]):
            raise SystemExit(1)

    def _tell(self, finding: Finding, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(orjson.dumps(asdict(finding)).decode())
            return
        mark = MARKS[finding.level]
        if finding.level is not Level.OK:
            mark = self.style.WARNING(mark) if finding.level is Level.WARN else self.style.ERROR(mark)
        self.stdout.write(f"{mark}  {finding.subject}: {finding.found}")
        if finding.advice:
            self.stdout.write(f"      -> {finding.advice}")

    @staticmethod
    def _summary(levels: Counter[Level]) -> str:
        if levels[Level.FAIL]:
            return f"{levels[Level.FAIL]} failed, {levels[Level.WARN]} to look at."
        return f"All works; {levels[Level.WARN]} to look at." if levels[Level.WARN] else "All is well."
