"""Pure: which listener has which subscription."""

from __future__ import annotations

import hashlib


def shard_of(digest: str, shards: int) -> int:
    """The shard with the highest score for this watch (rendezvous hashing).

    With one shard more or less, only the subscriptions that the new or the gone one had or gets change hands.
    """
    return max(range(shards), key=lambda shard: hashlib.sha256(f"{shard}:{digest}".encode()).digest())
