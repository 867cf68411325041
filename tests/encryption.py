"""Key pairs as the settings hold them, for tests that change keys."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from nacl.public import PrivateKey


@dataclass(frozen=True)
class KeyPair:
    private: str
    public: str


def new_pair() -> KeyPair:
    key = PrivateKey.generate()
    private, public = (base64.b64encode(bytes(half)).decode() for half in (key, key.public_key))
    return KeyPair(private, public)


def use_next_to_the_old(pair: KeyPair, settings: Any) -> None:
    """What the worker has during a rotation: the new key before those of until now, and the new public half."""
    settings.FIELD_ENCRYPTION_KEYS = [pair.private, *settings.FIELD_ENCRYPTION_KEYS]
    settings.FIELD_ENCRYPTION_PUBLIC_KEY = pair.public
