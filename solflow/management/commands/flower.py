"""`manage.py flower`: Flower, which shows Celery's tasks and can stop workers, and never without a login."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from solflow import env


class Command(BaseCommand):
    help = "Run Flower. It needs FLOWER_BASIC_AUTH (user:password), since it can stop workers."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--address", default="127.0.0.1", help="where it listens (127.0.0.1)")
        parser.add_argument("--port", type=int, default=5555)

    def handle(self, *args: Any, **options: Any) -> None:
        login = env.text("FLOWER_BASIC_AUTH", "")
        if not re.fullmatch(r"[^:,\s]+:[^,\s]+(,[^:,\s]+:[^,\s]+)*", login):
            env.refuse("FLOWER_BASIC_AUTH", "must be user:password: whoever reaches Flower can stop workers")
        words = ["-m", "celery", "-A", "solflow", "flower", "--persistent=False", f"--port={options['port']}"]
        told = {**os.environ, "FLOWER_BASIC_AUTH": login}
        # In this process's place: a signal to stop reaches it.
        os.execve(sys.executable, [sys.executable, *words, f"--address={options['address']}"], told)  # noqa: S606
