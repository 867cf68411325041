"""`manage.py seed_demo`: the demo that `up` makes at its first start."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from solflow.demo import seed


class Command(BaseCommand):
    help = "Make the demo: a funded signer, a workflow, and one deposit that runs it. Again, it adds nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        seed(self.stdout.write)
