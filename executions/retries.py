"""When a delivery is tried again. Pure, and the only place that decides it.

1. A failure that trying again cannot help is the end.
2. "Too many requests" is no attempt: the message waits as long as the receiver asks.
3. Every other failure climbs the ladder, with jitter, so that messages that failed together do not come back together;
   where the receiver names a longer wait, that one.
4. Above the ladder is the end: a dead letter, sent again by a person.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from executions.channels.base import ChannelError, RateLimited

LADDER_S: tuple[float, ...] = (2, 10, 30, 120, 600, 3600, 21600)
JITTER = 0.2
# A receiver's word counts up to here; a longer one (or a clock gone wrong) would be a dead letter that nobody sees.
LONGEST_WAIT_S = LADDER_S[-1]
SHORTEST_WAIT_S = 0.2


def next_attempt(
    error: ChannelError, attempt: int, *, scale: float = 1.0, uniform: Callable[[float, float], float] = random.uniform
) -> float | None:
    """Seconds until the next attempt after `error` in attempt number `attempt` (from 1); None when there is none.

    `scale` shrinks the ladder in tests; what the receiver asked for is never shrunk.
    """
    asked = min(max(error.retry_after_s or 0.0, 0.0), LONGEST_WAIT_S)
    if isinstance(error, RateLimited):
        return max(asked, SHORTEST_WAIT_S)
    if error.permanent or attempt > len(LADDER_S):
        return None
    return max(asked, LADDER_S[attempt - 1] * uniform(1 - JITTER, 1 + JITTER) * scale)
