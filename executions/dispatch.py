"""Wakes the workers. The database is the queue of record: a lost message costs the sweeper's few seconds, no more.

Tasks are named, not imported: whoever makes work must not know what does it.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import structlog
from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from executions import live

log = structlog.get_logger(__name__)

# A batch is claimed and filtered in one statement each; more in one message would leave other workers idle. A message
# costs its sender as much as ten executions' rows, so a flood is cut into few: MESSAGES, until they are MOST in size.
BATCH, MOST, MESSAGES = 50, 250, 4
SHOWN_CHARACTERS = 200


def wake(execution_ids: Sequence[int], after_s: float = 0.0) -> None:
    """Tell workers that these executions are pending: one message when one came in, few when many did."""
    live.tell(execution_ids)
    size = min(MOST, max(BATCH, -(-len(execution_ids) // MESSAGES)))
    for start in range(0, len(execution_ids), size):
        _send("executions.advance", [list(execution_ids[start : start + size])], after_s)


def wake_notify(after_s: float = 0.0) -> None:
    """Tell workers that a delivery is due, or will be in `after_s` seconds."""
    _send("executions.notify", [], after_s)


def _shown(args: list[object]) -> str:
    return f"({orjson.dumps(args).decode()[1:-1][:SHOWN_CHARACTERS]})"


def _send(task: str, args: list[object], after_s: float = 0.0) -> None:
    try:
        # retry=False: the caller has committed; waiting here for a broker that is away would hold up the listener.
        # argsrepr: what Flower shows; made by Celery it is a third of the price of a message with fifty ids.
        current_app.send_task(
            task, args=args, argsrepr=_shown(args), countdown=after_s or None, retry=False, ignore_result=True
        )
    except (OperationalError, RedisError, OSError) as error:
        log.warning("broker_unreachable", task=task, error=type(error).__name__)
