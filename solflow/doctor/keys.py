"""Whether what is encrypted can be opened where it must be, and nowhere else, and by the newest keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db.models import Model

from accounts import sealing
from accounts.sealing import SealError
from solflow.boxes import BOXES, SHUT, Box
from solflow.doctor.findings import Check, Finding, fail, ok, warn

NAMED = 3


def encryption() -> Iterator[Finding]:
    try:
        public = sealing.public_key()
    except SealError as error:
        yield fail(
            "encryption",
            f"{error}: no signer and no channel can be saved",
            "set it to the public half of the newest of FIELD_ENCRYPTION_KEYS",
        )
        return
    if not settings.FIELD_ENCRYPTION_KEYS:
        yield ok("encryption", "secrets can be sealed here, and not opened: only a worker has FIELD_ENCRYPTION_KEYS")
        return
    try:
        private = sealing.private_keys()
    except SealError as error:
        yield fail("encryption", str(error), "correct it")
        return
    if private[0].public_key != public:
        yield fail(
            "encryption",
            "FIELD_ENCRYPTION_PUBLIC_KEY does not belong to the first of FIELD_ENCRYPTION_KEYS",
            "the newest private key comes first; web seals to its public half",
        )
    else:
        yield ok("encryption", f"the public key belongs to the newest of {len(private)} private ones")
    sealed = [box for box in BOXES if box.open is sealing.unseal]
    advice = "add the private key under which they were sealed to FIELD_ENCRYPTION_KEYS, or enter them again"
    yield from _boxes("sealed secrets", sealed, advice)


def locks() -> Iterator[Finding]:
    """What web itself opens, with SECRET_KEY."""
    locked = [box for box in BOXES if box.open is not sealing.unseal]
    advice = "add the SECRET_KEY of that time to SECRET_KEY_FALLBACKS, or make new ones"
    yield from _boxes("locked secrets", locked, advice)


def _boxes(subject: str, boxes: Iterable[Box], advice: str) -> Iterator[Finding]:
    shut: list[str] = []
    older = 0
    for box in boxes:
        for row in box.rows():
            if box.under_newest(box.kind, row.pk, box.of(row)):
                continue
            if _opens(box, row):
                older += 1
            elif _needed(box, row):
                shut.append(box.named(row))
    if shut:
        names = ", ".join(shut[:NAMED]) + (f" and {len(shut) - NAMED} more" if len(shut) > NAMED else "")
        yield fail(subject, f"no key here opens those of {names}", advice)
    if older:
        yield warn(
            subject,
            f"{older} are not under the newest key: the older ones must be kept",
            "manage.py rotate_encryption_keys, then drop the older keys (docs/keys.md)",
        )
    elif not shut:
        yield ok(subject, "all open with the newest key of this environment")


def _opens(box: Box, row: Model) -> bool:
    try:
        box.open(box.kind, row.pk, box.of(row))
    except SHUT:
        return False
    return True


def _needed(box: Box, row: Model) -> bool:
    """A deleted channel is never told anything again; on the address of a deleted signer money may still lie."""
    return box.kind == "signer" or getattr(row, "deleted_at", None) is None


def debug() -> Iterator[Finding]:
    if settings.DEBUG:
        yield warn("debug pages", "DEBUG is on: errors show settings and variables", "unset DEBUG")


CHECKS: tuple[Check, ...] = (encryption, locks, debug)
