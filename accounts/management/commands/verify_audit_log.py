"""`manage.py verify_audit_log`: whether the audit log is what was written."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.seals import verify


class Command(BaseCommand):
    help = "Compare every audit entry with the seals over them. What is wrong is named, with exit code 1."

    def handle(self, *args: Any, **options: Any) -> None:
        found = verify()
        if found.problem:
            before = f"the {found.entries} entries in the {found.seals} seals before are whole"
            raise CommandError(f"{found.problem}; {before}")
        self.stdout.write(f"{found.entries} entries in {found.seals} seals are what was written; head {found.head}")
        self.stdout.write(f"{found.waiting} newer entries are not sealed yet")
