"""`manage.py listen`: watch the chain for the enabled workflows until told to stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog
from django.core.management.base import BaseCommand

from executions import gateway
from listener import runner
from listener.errors import WrongChain

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Watch the chain for the enabled workflows, until SIGTERM or SIGINT."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            runner.main()
        except gateway.WrongChain as error:
            self._refuse(error)
        except BaseExceptionGroup as group:
            wrong = next((error for error in _leaves(group) if isinstance(error, WrongChain)), None)
            if wrong is None:
                raise
            self._refuse(wrong)

    def _refuse(self, error: Exception) -> None:
        log.error("wrong_chain", reason=str(error))
        raise SystemExit(1)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
