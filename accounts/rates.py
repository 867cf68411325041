"""Counting how often something happens, in Redis: one operation for each, so that it holds across processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import RedisError

# The first of a window gives it its end; what is found without one gets it too, or it would count for ever.
_COUNT = """
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """This was the `number`-th in a window that ends in `left_s`."""

    number: int
    left_s: float


_here = LocMemCache("rates", {"OPTIONS": {"MAX_ENTRIES": 10_000}})


def count(key: str, window_s: float) -> Counted:
    """Count one more of `key`; the window begins with the first that is counted and lasts `window_s`.

    Raises:
        redis.exceptions.RedisError: Redis is away, and nothing was counted.
    """
    client = cast(Any, cache)._cache.get_client(write=True)
    number, left_ms = client.eval(_COUNT, 1, cache.make_key(key), int(window_s * 1000))
    return Counted(number, left_ms / 1000)


def count_somewhere(key: str, window_s: float) -> int:
    """The number of this one, as `count` counts; while Redis is away, as this process does."""
    try:
        return count(key, window_s).number
    except RedisError:
        _here.add(key, 0, timeout=window_s)
        try:
            return int(_here.incr(key))
        except ValueError:
            # It ran out between the two calls.
            return 1
