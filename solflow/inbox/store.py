"""The newest messages and the rate limit, in Redis: they outlive a restart, and nothing depends on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from executions.live import CHANNEL
from executions.live import message as changed

# What open pages of it listen to.
TOPIC = "inbox"
KEPT = 200
MESSAGES_KEY = "solflow:inbox:messages"
ALLOWED_PER_WINDOW = 5
WINDOW_MS = 2_000


@dataclass(frozen=True)
class Received:
    """One message as it came, and when."""

    id: str
    webhook_id: str
    received_at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Allowance:
    """What is left of a webhook's window; negative `remaining` means that this request is one too many."""

    remaining: int
    reset_after_s: float


class InboxStore:
    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def add(self, webhook_id: str, payload: Mapping[str, Any]) -> Received:
        """Keep a message, and tell open pages; the oldest beyond 200 goes."""
        message = Received(str(self._redis.incr(f"{MESSAGES_KEY}:last")), webhook_id, datetime.now(UTC), payload)
        document = {**message.__dict__, "received_at": message.received_at.isoformat()}
        with self._redis.pipeline() as pipe:
            pipe.lpush(MESSAGES_KEY, json.dumps(document))
            pipe.ltrim(MESSAGES_KEY, 0, KEPT - 1)
            pipe.publish(CHANNEL, changed([TOPIC]))
            pipe.execute()
        return message

    def newest_first(self) -> list[Received]:
        documents = (json.loads(text) for text in self._redis.lrange(MESSAGES_KEY, 0, KEPT - 1))
        return [
            Received(**{**document, "received_at": datetime.fromisoformat(document["received_at"])})
            for document in documents
        ]

    def count_request(self, webhook_id: str) -> Allowance:
        """Count one request against the webhook's five in two seconds, Discord's usual bucket."""
        key = f"solflow:inbox:rate:{webhook_id}"
        with self._redis.pipeline() as pipe:
            pipe.set(key, 0, px=WINDOW_MS, nx=True)
            pipe.incr(key)
            pipe.pttl(key)
            _, used, left_ms = pipe.execute()
        return Allowance(ALLOWED_PER_WINDOW - used, max(left_ms, 0) / 1000)
