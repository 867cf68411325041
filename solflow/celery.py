"""The Celery app: late acknowledgement, ids only, periodic tasks. `celery -A solflow worker` finds it here."""

from __future__ import annotations

import os
import sys
import time

from celery import Celery
from celery.signals import (
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
)
from django.conf import settings
from django.db import close_old_connections, connection

from solflow import broker_clients

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "solflow.settings")
broker_clients.keep()

app = Celery("solflow")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery closes the database connection before and after every task, and opening one costs more than most tasks.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """A receiver here keeps Celery from replacing the logging that settings configured."""


CHECK_AGAIN_S = 30.0
_checked_s = 0.0


@task_prerun.connect
def check_connections(**_: object) -> None:
    """What Django does between requests: a connection that PostgreSQL has closed meanwhile is replaced.

    Asking costs a round trip, so the first task after a failure asks, and one in a while. A task that finds the
    connection dead all the same is one wake-up lost, which the sweeper makes up for.
    """
    global _checked_s
    if connection.errors_occurred or time.monotonic() - _checked_s > CHECK_AGAIN_S:
        _checked_s = time.monotonic()
        close_old_connections()


@task_postrun.connect
def write_figures(**_: object) -> None:
    """Every process of the pool counts for itself; a look at the clock, and every few seconds one statement."""
    from executions.tallies import flush_if_due

    flush_if_due()


@worker_process_shutdown.connect
def hand_over_the_last(**_: object) -> None:
    from executions.tallies import flush

    flush()
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        from solflow import tracing

        tracing.flush()


@worker_init.connect
def check_epoch(**_: object) -> None:
    """Before the fork and the first task: is this the database that we left?"""
    from solflow import epoch

    epoch.check()


@worker_init.connect
def look_back_first(**_: object) -> None:
    """And does the chain know payments that it has forgotten? Leaves no connection open for the fork."""
    from executions.warmup import look_back

    look_back()


@worker_process_init.connect
def warm_up_process(**_: object) -> None:
    """After the fork: connections are not shared with the parent, and the first task should not wait for them."""
    from executions.warmup import warm_up

    warm_up()


# Each wake-up expires before the next would make it worthless: a worker that was away finds one of a kind, not a pile.
app.conf.beat_schedule = {
    "confirm": {"task": "executions.confirm", "schedule": 0.4, "options": {"expires": 2}},
    "schedules": {"task": "executions.fire_schedules", "schedule": 1.0, "options": {"expires": 2}},
    "seal": {"task": "accounts.seal_audit_log", "schedule": 1.0, "options": {"expires": 2}},
    "sweep": {"task": "executions.sweep", "schedule": 2.0, "options": {"expires": 4}},
    "notify": {"task": "executions.notify", "schedule": 2.0, "options": {"expires": 4}},
    "tidy": {"task": "executions.tidy", "schedule": 600.0, "options": {"expires": 500}},
    "prune": {"task": "executions.prune", "schedule": 3600.0, "options": {"expires": 3000}},
    "memos": {"task": "executions.watch_memos", "schedule": 60.0, "options": {"expires": 50}},
}
