"""Errors to Sentry, where SENTRY_DSN is set: what broke and where, and nothing that it broke over.

An exception's text may hold what it was about: a library that cannot reach `https://discord.com/api/webhooks/<token>`
names it. So only the texts of our own errors are told, which are written to be shown; of others the type and the place.
No local variables, no requests, no breadcrumbs (they hold the URLs that were called), no task arguments.
"""

from __future__ import annotations

import re
from typing import Any

OURS = ("accounts.", "chain.", "executions.", "listener.", "solflow.", "workflows.")
WITHHELD = "[text withheld: it may hold a secret]"
# What an event may say. A list of what it may not would not know tomorrow's fields.
TOLD = (
    *("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "server_name", "sdk"),
    *("exception", "fingerprint", "type"),
)
TOLD_OF_FRAME = (
    *("filename", "abs_path", "function", "module", "lineno", "in_app"),
    *("pre_context", "context_line", "post_context"),
)
IDS = ("execution", "workflow", "delivery", "signature")
# The host of a URL is told, as everywhere; user, path and query may be keys.
_URL = re.compile(r"([a-z][a-z0-9+]*://)(?:[^\s/@]*@)?([^\s/?#'\")]+)[^\s'\")]*", re.IGNORECASE)


def start(dsn: str, environment: str, release: str) -> None:
    """Report this process's unhandled exceptions and what it logs as an error; its forked children's too.

    Sending happens in a thread of Sentry's; a Sentry that is away costs nothing but the reports.
    """
    import sentry_sdk
    from sentry_sdk.integrations.atexit import AtexitIntegration
    from sentry_sdk.integrations.celery import CeleryIntegration
    from sentry_sdk.integrations.dedupe import DedupeIntegration
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration
    from sentry_sdk.integrations.threading import ThreadingIntegration

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=f"solflow@{release}",
        # By name: what Sentry would find by itself watches HTTP, SQL and Redis, and repeats what it sees there.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            AtexitIntegration(callback=lambda pending, timeout: None),
            CeleryIntegration(propagate_traces=False),
            DedupeIntegration(),
            DjangoIntegration(middleware_spans=False, signals_spans=False),
            ExcepthookIntegration(),
            LoggingIntegration(level=None),
            ThreadingIntegration(propagate_hub=False),
        ],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        propagate_traces=False,
        shutdown_timeout=2,
        before_send=reduced,
    )


def reduced(event: Any, hint: Any) -> Any:
    """What of `event` may leave this machine (Sentry's `before_send`)."""
    told = {key: event[key] for key in TOLD if key in event}
    for exception in (told.get("exception") or {}).get("values") or ():
        exception["value"] = _text_of(exception)
        exception.pop("mechanism", None)
        for frame in (exception.get("stacktrace") or {}).get("frames") or ():
            for name in frame.keys() - set(TOLD_OF_FRAME):
                del frame[name]
    # A view's pattern or a task's name; a path that met no pattern may have a token in it.
    if (event.get("transaction_info") or {}).get("source") in ("route", "task", "component"):
        told["transaction"] = event["transaction"]
    return {**told, **_of_log_line(hint.get("log_record"))}


def _text_of(exception: dict[str, Any]) -> str:
    if not f"{exception.get('module')}.".startswith(OURS):
        return WITHHELD
    return hosts_only(str(exception.get("value") or ""))


def hosts_only(text: str) -> str:
    """`text` with every URL reduced to its scheme and host."""
    return _URL.sub(r"\1\2", text)


def _of_log_line(record: Any) -> dict[str, Any]:
    """The name and the ids of a log line of ours; of somebody else's the text before its arguments were put in."""
    if record is None:
        return {}
    if not isinstance(record.msg, dict):
        return {"logentry": {"message": record.msg if record.args else WITHHELD}}
    ids = {name: str(record.msg[name]) for name in IDS if name in record.msg}
    return {"logentry": {"message": str(record.msg.get("event", ""))}, "tags": ids}
