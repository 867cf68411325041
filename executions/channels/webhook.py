"""Webhooks for machines: the message and the whole execution as JSON, signed as Standard Webhooks says.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from executions.channels.answers import Answer, failure, told, too_many
from executions.channels.base import Destination, Message, Outbound, Pace
from executions.channels.http import post
from executions.channels.texts import visible
from workflows.specs.channels.config import SIGNED_BY
from workflows.specs.channels.webhook import signing_key

MAX_PER_MINUTE = 600
# The specification asks for small messages; what makes one large is named in `left_out` and read from the API instead.
MAX_BYTES = 64 * 1024
GONE = 410


class Webhook:
    """The channel kind `webhook`; config: `url`, `secret`."""

    max_per_minute = MAX_PER_MINUTE

    def destination(self, config: Mapping[str, Any]) -> Destination:
        parts = urlsplit(config["url"])
        return Destination(f"webhook:{config['url']}", f"webhook:{parts.netloc}")

    def escape(self, text: str) -> str:
        """JSON needs none of ours; what cannot be seen goes all the same."""
        return visible(text)

    def preview(self, message: Message) -> dict[str, Any]:
        return payload(message)

    def send(self, config: Mapping[str, Any], message: Message, outbound: Outbound) -> Pace:
        """Post the message; a 2xx answer means that it was taken.

        Raises:
            RateLimited: the receiver asks to wait.
            ChannelError: refused, failed, or nobody can tell.
        """
        body = orjson.dumps(payload(message))
        headers = signed_headers(message.id, int(time.time()), body, config[SIGNED_BY])
        answer = post(config["url"], body, {"Content-Type": "application/json", **headers}, outbound)
        return judge(answer, config["url"])


def signed_headers(message_id: str, timestamp_s: int, body: bytes, secret: str) -> dict[str, str]:
    """The three headers by which a receiver knows sender, time and repetition."""
    content = f"{message_id}.{timestamp_s}.".encode() + body
    signature = base64.b64encode(hmac.digest(signing_key(secret), content, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id, "webhook-timestamp": str(timestamp_s), "webhook-signature": f"v1,{signature}"
    }  # fmt: skip


def payload(message: Message) -> dict[str, Any]:
    """`type`, `timestamp` and `data`: title, text, link, and what the message is about, as the API shows it."""
    data = {"title": message.title, "text": message.text, "url": message.url, **message.about}
    document = {"type": message.type, "timestamp": message.at, "data": data}
    if len(orjson.dumps(document)) > MAX_BYTES:
        document["data"] = _smaller(data)
    return document


def _smaller(data: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is long in the execution: first logs and account data, then whatever else is."""
    execution = dict(data.get("execution") or {})
    left_out: list[str] = []
    for part, key in (("transaction", "logs"), ("event", "data_base64"), ("event", "logs"), ("event", "body")):
        values = execution.get(part)
        if isinstance(values, Mapping) and values.get(key):
            execution[part] = {**values, key: None}
            left_out.append(f"execution.{part}.{key}")
    for key in sorted(execution, key=lambda name: len(orjson.dumps(execution[name])), reverse=True):
        if len(orjson.dumps({**data, "execution": execution})) <= MAX_BYTES:
            break
        execution[key] = None
        left_out.append(f"execution.{key}")
    return {**data, "execution": execution, "left_out": left_out}


def judge(answer: Answer, url: str) -> Pace:
    """What a receiver's answer means. 410 is its word that nothing more is wanted."""
    if 200 <= answer.status < 300:
        return Pace()
    if answer.status == 429:
        raise too_many(answer)
    said = answer.body[:MAX_BYTES].decode("utf-8", "replace")
    raise failure(answer, told(said, url) if answer.status < 500 else "", gone=answer.status == GONE)
