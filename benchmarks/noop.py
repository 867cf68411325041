"""A Celery task that does nothing and says so: the floor of the latency benchmark."""

from __future__ import annotations

import redis
from celery import shared_task
from django.conf import settings

DONE = "solflow-bench-noop"


@shared_task(name="benchmarks.noop")
def noop() -> None:
    redis.Redis.from_url(settings.REDIS_URL).lpush(DONE, 1)
