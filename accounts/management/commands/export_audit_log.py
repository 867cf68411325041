"""`manage.py export_audit_log`: the sealed entries as JSON lines, which an outsider can verify (docs/audit.md)."""

from __future__ import annotations

from typing import Any

import orjson
from django.core.management.base import BaseCommand

from accounts.seals import export


class Command(BaseCommand):
    help = "Write every sealed audit entry with its seal as JSON lines to standard output."

    def handle(self, *args: Any, **options: Any) -> None:
        for line in export():
            self.stdout.write(orjson.dumps(line).decode())
