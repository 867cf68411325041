"""The config of a webhook channel: a URL, and the secret by which its messages are signed (Standard Webhooks).

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

from workflows.specs.channels.config import SIGNED_BY, Key, Keys, mask
from workflows.specs.channels.urls import public_url

PREFIX = "whsec_"
SECRET_BYTES = 32
_LEAST_BYTES, _MOST_BYTES = 24, 64


def keys(allowed_hosts: Sequence[str]) -> Keys:
    return Keys(
        (
            Key("url", partial(_url, allowed_hosts=allowed_hosts), mask, code="invalid_url"),
            Key(SIGNED_BY, _secret, _masked, made=new_secret),
        )
    )


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signing_key(secret: str) -> bytes:
    """The key in a secret that was checked."""
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def _url(value: Any, allowed_hosts: Sequence[str]) -> str:
    return public_url(value, allowed_hosts).text


def _secret(value: Any) -> str:
    problem = f"must be {PREFIX} and {_LEAST_BYTES} to {_MOST_BYTES} bytes in base64; leave it out to have one made"
    if not isinstance(value, str):
        raise ValueError(problem)
    try:
        key = signing_key(value.strip())
    except (binascii.Error, ValueError):
        raise ValueError(problem) from None
    if not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise ValueError(problem)
    return PREFIX + base64.b64encode(key).decode()


def _masked(secret: str) -> str:
    return f"{PREFIX}…{secret[-4:]}"
