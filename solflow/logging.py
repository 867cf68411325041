"""Log lines: JSON in production, readable on a terminal; both carry the context bound with structlog.contextvars."""

from __future__ import annotations

import logging
import logging.config
from typing import Any

import structlog

SHARED_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
]
# A line for every message, several times a second, also when nothing happens.
CHATTY = {
    "celery.beat": "WARNING",
    "celery.worker.strategy": "WARNING",
    "celery.worker.request": "WARNING",
    "celery.app.trace": "WARNING",
    "opentelemetry": "CRITICAL",  # a collector that is away: solflow.tracing says so, once
    "fido2": "WARNING",  # which passkey was used
    "flower.inspector": "ERROR",  # it asks before the worker is there, and asks again
}


def configure(options: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: one handler on standard error for structlog's and everybody else's lines."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if options["json"] else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED_PROCESSORS,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            "loggers": {name: {"level": level} for name, level in CHATTY.items()},
        }
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *SHARED_PROCESSORS, _hand_over],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _hand_over(logger: Any, method: str, line: structlog.typing.EventDict) -> tuple[Any, dict[str, Any]]:
    """To the standard library's handlers, with the exception where handlers other than ours (Sentry's) look for it."""
    positional, named = structlog.stdlib.ProcessorFormatter.wrap_for_formatter(logger, method, line)
    if "exc_info" in line:
        named["exc_info"] = line["exc_info"]
    return positional, named
