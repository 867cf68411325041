"""The Celery app: late acknowledgement, ids only, periodic tasks. `celery -A solflow worker` finds it here."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import setup_logging, worker_process_init

from solflow import broker_clients

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "solflow.settings")
broker_clients.keep()

app = Celery("solflow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """A receiver here keeps Celery from replacing the logging that settings configured."""


@worker_process_init.connect
def warm_up_process(**_: object) -> None:
    """After the fork: connections are not shared with the parent, and the first task should not wait for them."""
    from executions.warmup import warm_up

    warm_up()


# Each wake-up expires before the next would make it worthless: a worker that was away finds one of a kind, not a pile.
app.conf.beat_schedule = {
    "confirm": {"task": "executions.confirm", "schedule": 0.4, "options": {"expires": 2}},
    "sweep": {"task": "executions.sweep", "schedule": 2.0, "options": {"expires": 4}},
    "notify": {"task": "executions.notify", "schedule": 2.0, "options": {"expires": 4}},
}
