"""Time-based one-time passwords. Pure. Source: RFC 6238, over RFC 4226's truncation; what every app does unasked."""

from __future__ import annotations

import base64
import hmac
import secrets
from urllib.parse import quote, urlencode

PERIOD_S = 30
DIGITS = 6
# A phone's clock may be off by one period either way.
DRIFT = 1


def new_seed() -> bytes:
    """160 random bits, as long as the hash."""
    return secrets.token_bytes(20)


def code_at(seed: bytes, step: int) -> str:
    """The code of a period; `step` counts periods since the epoch."""
    digest = hmac.digest(seed, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(seed: bytes, code: str, now_s: float, *, after: int) -> int | None:
    """The period that `code` belongs to, if that is now and later than the period `after`; else None."""
    now = int(now_s) // PERIOD_S
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(code_at(seed, step).encode(), code.encode("utf-8", "replace")) and step > after:
            found = step
    return found


def as_text(seed: bytes) -> str:
    """The seed as people type it into an app."""
    return base64.b32encode(seed).decode().rstrip("=")


def address(seed: bytes, *, name: str, issuer: str) -> str:
    """What the QR code says. Source: https://github.com/google/google-authenticator/wiki/Key-Uri-Format"""
    return f"otpauth://totp/{quote(issuer)}:{quote(name)}?" + urlencode({"secret": as_text(seed), "issuer": issuer})
