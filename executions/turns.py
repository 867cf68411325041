"""At most so many processes at the same work at once. Politeness, not safety: the work is safe in any number.

Held in the cache; a Redis that forgot everything lets one process more in, and a process that died gives its turn back
when its time is over.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache


@contextmanager
def turn(name: str, *, places: int, for_at_most_s: int) -> Iterator[bool]:
    """Whether there was a place for this process while the block runs; without one it should leave the work alone."""
    mark = secrets.token_hex(8)
    keys = (f"solflow:turn:{name}:{place}" for place in range(places))
    held = next((key for key in keys if cache.add(key, mark, timeout=for_at_most_s)), None)
    try:
        yield held is not None
    finally:
        # Whoever took longer than it may is not the holder any more.
        if held is not None and cache.get(held) == mark:
            cache.delete(held)
