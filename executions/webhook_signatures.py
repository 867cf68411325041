"""Whether a request is signed as Standard Webhooks says. Pure.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

The reference library is the tests' counterpart and not used here: it decodes bodies as UTF-8, raises whatever a
malformed header makes its parsing raise, and reads the clock itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence

TOLERANCE_S = 300

_VERSION = "v1"
_MOST_DIGITS = 12


def is_signed(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_s: float) -> bool:
    """Whether one of `keys` has signed id, timestamp and body, at most five minutes from now in either direction.

    `headers` are found by their lower-case names.
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not _is_recent(timestamp, now_s):
        return False
    content = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body
    right = [hmac.digest(key, content, hashlib.sha256) for key in keys]
    given = list(_signatures(headers.get("webhook-signature", "")))
    return any(hmac.compare_digest(one, other) for one in right for other in given)


def _is_recent(timestamp: str, now_s: float) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _MOST_DIGITS):
        return False
    return abs(int(timestamp) - now_s) <= TOLERANCE_S


def _signatures(header: str) -> Iterator[bytes]:
    """The signatures of our version; others, and what is no signature, are left out, as the specification wants."""
    for part in header.split(" "):
        version, _, encoded = part.partition(",")
        if version != _VERSION:
            continue
        try:
            yield base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
