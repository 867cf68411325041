"""At most so many processes at the same work at once. Politeness, not safety: the work is safe in any number.

Held in the cache; a Redis that forgot everything lets one process more in, and a process that died gives its turn back
when its time is over.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.cache import cache


@dataclass(frozen=True, slots=True)
class Turn:
    """True where there was a place for this process; without one it should leave the work alone."""

    key: str | None
    mark: str
    for_at_most_s: int

    def __bool__(self) -> bool:
        return self.key is not None

    def renew(self) -> None:
        """Once more as long from now on: whoever works on says so, and whoever died does not."""
        if self._is_held():
            cache.touch(self.key, self.for_at_most_s)

    def give_back(self) -> None:
        if self._is_held():
            cache.delete(self.key)

    def _is_held(self) -> bool:
        # Whoever took longer than it may is not the holder any more.
        return self.key is not None and cache.get(self.key) == self.mark


@contextmanager
def turn(name: str, *, places: int, for_at_most_s: int) -> Iterator[Turn]:
    """A place among those who do this work, while the block runs."""
    mark = secrets.token_hex(8)
    keys = (f"solflow:turn:{name}:{place}" for place in range(places))
    taken = Turn(next((key for key in keys if cache.add(key, mark, timeout=for_at_most_s)), None), mark, for_at_most_s)
    try:
        yield taken
    finally:
        taken.give_back()
