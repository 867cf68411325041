"""Sealed boxes (libsodium, X25519 + XSalsa20-Poly1305): whoever has the public key closes, only the worker opens.

A sealed box binds nothing by itself: anyone with the public key can make one, and a copied ciphertext opens in any row.
So the kind and the id of the row are inside, and opening checks them.
Source: https://doc.libsodium.org/public-key_cryptography/sealed_boxes
"""

from __future__ import annotations

import base64
import binascii

from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

# What PyNaCl and base64 raise for what is no key, and for a key that does not fit.
_NO_KEY = (ValueError, TypeError, binascii.Error, CryptoError)


class SealError(Exception):
    """A box that cannot be closed or opened here. The text never holds key material."""


def public_key() -> PublicKey:
    """What boxes are closed with here.

    Raises:
        SealError: FIELD_ENCRYPTION_PUBLIC_KEY is missing or not a key.
    """
    try:
        return PublicKey(_decoded(settings.FIELD_ENCRYPTION_PUBLIC_KEY))
    except _NO_KEY:
        raise SealError("FIELD_ENCRYPTION_PUBLIC_KEY must be 32 bytes in base64") from None


def private_keys() -> list[PrivateKey]:
    """What boxes are opened with here, newest first; empty everywhere but in the worker.

    Raises:
        SealError: one of FIELD_ENCRYPTION_KEYS is not a key.
    """
    keys: list[PrivateKey] = []
    for number, text in enumerate(settings.FIELD_ENCRYPTION_KEYS, start=1):
        try:
            keys.append(PrivateKey(_decoded(text)))
        except _NO_KEY:
            raise SealError(f"number {number} of FIELD_ENCRYPTION_KEYS must be 32 bytes in base64") from None
    return keys


def seal(kind: str, row_id: object, secret: bytes) -> bytes:
    """Close `secret` for the row `row_id` of `kind` (`signer`, `channel`).

    Raises:
        SealError: FIELD_ENCRYPTION_PUBLIC_KEY is missing or not a key.
    """
    return SealedBox(public_key()).encrypt(_binding(kind, row_id) + secret)


def unseal(kind: str, row_id: object, box: bytes) -> bytes:
    """The secret that was sealed for this row. Works only where FIELD_ENCRYPTION_KEYS are, which is the worker.

    Raises:
        SealError: no key here opens the box, or it was sealed for another row.
    """
    for text in settings.FIELD_ENCRYPTION_KEYS:
        try:
            opened = SealedBox(PrivateKey(_decoded(text))).decrypt(bytes(box))
        except _NO_KEY:
            continue
        binding = _binding(kind, row_id)
        if not opened.startswith(binding):
            raise SealError(f"the box in {kind} {row_id} was sealed for another row")
        return opened[len(binding) :]
    raise SealError(f"no key in FIELD_ENCRYPTION_KEYS opens the box of {kind} {row_id}")


def under_newest(kind: str, row_id: object, box: bytes) -> bool:
    """Whether the first of FIELD_ENCRYPTION_KEYS opens the row's box, so that no older one is needed for it."""
    try:
        opened = SealedBox(PrivateKey(_decoded(settings.FIELD_ENCRYPTION_KEYS[0]))).decrypt(bytes(box))
    except (IndexError, *_NO_KEY):
        return False
    return opened.startswith(_binding(kind, row_id))


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _binding(kind: str, row_id: object) -> bytes:
    return f"{kind}:{row_id}\n".encode()
