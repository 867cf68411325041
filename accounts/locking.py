"""Secrets that the web process itself must read, such as the keys of inbound webhooks: encrypted under SECRET_KEY.

Unlike a sealed box (accounts.sealing) whoever runs the web process can open these; the database alone cannot. The kind
and the id of the row are authenticated with the secret, so that a ciphertext copied into another row does not open.
XChaCha20-Poly1305: https://doc.libsodium.org/secret-key_cryptography/aead/chacha20-poly1305/xchacha20-poly1305_construction
"""

from __future__ import annotations

from django.conf import settings
from django.utils.crypto import salted_hmac
from nacl.exceptions import CryptoError
from nacl.secret import Aead

_PURPOSE = "accounts.locking"


class LockError(Exception):
    """A box that does not open here. The text never holds key material."""


def lock(kind: str, row_id: object, secret: bytes) -> bytes:
    """Encrypt `secret` for the row `row_id` of `kind` (`webhook_secret`)."""
    return bytes(_aead(settings.SECRET_KEY).encrypt(secret, aad=_binding(kind, row_id)))


def unlock(kind: str, row_id: object, box: bytes) -> bytes:
    """The secret that was locked for this row, under SECRET_KEY or one of SECRET_KEY_FALLBACKS.

    Raises:
        LockError: no key here opens it, or it was locked for another row.
    """
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _aead(key).decrypt(bytes(box), aad=_binding(kind, row_id))
        except CryptoError:
            continue
    raise LockError(f"neither SECRET_KEY nor SECRET_KEY_FALLBACKS opens the box of {kind} {row_id}")


def under_newest(kind: str, row_id: object, box: bytes) -> bool:
    """Whether SECRET_KEY opens the row's box, so that none of SECRET_KEY_FALLBACKS is needed for it."""
    try:
        _aead(settings.SECRET_KEY).decrypt(bytes(box), aad=_binding(kind, row_id))
    except CryptoError:
        return False
    return True


def _aead(secret_key: str) -> Aead:
    # Django's own way to a key for one purpose: HMAC-SHA256, whose 32 bytes are what the cipher takes.
    return Aead(salted_hmac(_PURPOSE, "key", secret=secret_key, algorithm="sha256").digest())


def _binding(kind: str, row_id: object) -> bytes:
    return f"{kind}:{row_id}".encode()
