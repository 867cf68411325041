"""How often strangers and senders may knock: counted in Redis for each second, so that it holds across processes.

Without Redis there is no limit, as everywhere (solflow.cache): an event is worth more than a count.
"""

from __future__ import annotations

import time

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

# Of everything that comes from one address, before it is looked at.
PER_ADDRESS_S = 100
# Of what a workflow's senders have proven to send: strangers who guess use nothing of it up.
PER_WORKFLOW_S = 50

_KEPT_S = 5


def allows(who: str, limit_s: int) -> bool:
    """Count one request of `who`; whether that is within `limit_s` in this second."""
    key = f"solflow:hooks:{who}:{int(time.time())}"
    try:
        cache.add(key, 0, timeout=_KEPT_S)
        return cache.incr(key) <= limit_s
    except RedisError as error:
        log.warning("cache_unreachable", error=type(error).__name__)
        return True
    except ValueError:
        # Evicted between the two calls: a Redis that is full is no reason to refuse.
        return True
