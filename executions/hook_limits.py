"""How often strangers and senders may knock: counted in Redis for each second, so that it holds across processes.

Without Redis there is no limit, as everywhere (solflow.cache): an event is worth more than a count.
"""

from __future__ import annotations

import structlog
from redis.exceptions import RedisError

from accounts import rates

log = structlog.get_logger(__name__)

# Of everything that comes from one address, before it is looked at.
PER_ADDRESS_S = 100
# Of what a workflow's senders have proven to send: strangers who guess use nothing of it up.
PER_WORKFLOW_S = 50


def allows(who: str, limit_s: int) -> bool:
    """Count one request of `who`; whether that is within `limit_s` in this second."""
    try:
        return rates.count(f"hooks:{who}", 1).number <= limit_s
    except RedisError as error:
        log.warning("cache_unreachable", error=type(error).__name__)
        return True
