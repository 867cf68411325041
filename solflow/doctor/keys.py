"""Whether what is sealed can be opened where it must be, and nowhere else."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey

from accounts.sealing import SealError, unseal
from solflow.doctor.findings import Check, Finding, fail, ok, warn
from workflows.models import Channel, Signer

NAMED = 3


def encryption() -> Iterator[Finding]:
    public = _public(settings.FIELD_ENCRYPTION_PUBLIC_KEY)
    if public is None:
        yield fail(
            "encryption",
            "FIELD_ENCRYPTION_PUBLIC_KEY is not 32 bytes in base64: no signer and no channel can be saved",
            "set it to the public half of the newest of FIELD_ENCRYPTION_KEYS",
        )
        return
    if not settings.FIELD_ENCRYPTION_KEYS:
        yield ok("encryption", "secrets can be sealed here, and not opened: only a worker has FIELD_ENCRYPTION_KEYS")
        return
    halves = [_private(text) for text in settings.FIELD_ENCRYPTION_KEYS]
    if None in halves:
        yield fail("encryption", "one of FIELD_ENCRYPTION_KEYS is not 32 bytes in base64", "correct it")
    elif halves[0] != public:
        yield fail(
            "encryption",
            "FIELD_ENCRYPTION_PUBLIC_KEY does not belong to the first of FIELD_ENCRYPTION_KEYS",
            "the newest private key comes first; web seals to its public half",
        )
    else:
        yield ok("encryption", f"the public key belongs to the newest of {len(halves)} private ones")
    yield from _boxes()


def _boxes() -> Iterator[Finding]:
    shut = [
        f"{kind} {row.name}"
        for kind, rows in (("signer", Signer.objects.all()), ("channel", Channel.objects.all()))
        for row in rows.filter(deleted_at=None).iterator()
        if row.sealed and not _opens(kind, row)
    ]
    if shut:
        names = ", ".join(shut[:NAMED]) + (f" and {len(shut) - NAMED} more" if len(shut) > NAMED else "")
        yield fail(
            "sealed secrets",
            f"no key here opens those of {names}",
            "add the private key under which they were sealed to FIELD_ENCRYPTION_KEYS, or enter them again",
        )
    else:
        yield ok("sealed secrets", "all open with the keys of this environment")


def _opens(kind: str, row: Signer | Channel) -> bool:
    try:
        unseal(kind, row.pk, bytes(row.sealed))
        if isinstance(row, Channel) and row.sealed_key:
            unseal("channel_key", row.pk, bytes(row.sealed_key))
    except SealError:
        return False
    return True


def _public(text: str) -> bytes | None:
    try:
        return bytes(PublicKey(base64.b64decode(text, validate=True)))
    except (ValueError, TypeError, binascii.Error, CryptoError):
        return None


def _private(text: str) -> bytes | None:
    try:
        return bytes(PrivateKey(base64.b64decode(text, validate=True)).public_key)
    except (ValueError, TypeError, binascii.Error, CryptoError):
        return None


def debug() -> Iterator[Finding]:
    if settings.DEBUG:
        yield warn("debug pages", "DEBUG is on: errors show settings and variables", "unset DEBUG")


CHECKS: tuple[Check, ...] = (encryption, debug)
