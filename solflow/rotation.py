"""Rotation of keys: every encrypted value is opened and closed again under the newest key, while SolFlow runs.

Each row is a transaction of its own, locked before its box is opened: a channel that is changed meanwhile keeps its
change. What is under the newest key is left alone, so that a rotation that was killed is simply run again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction

from accounts import audit, sealing
from accounts.actors import Actor
from accounts.errors import Refused
from accounts.sealing import SealError
from solflow.boxes import BOXES, SHUT, Box

OWNER = "owner"
# A pass may miss what is made while it runs; a pass that finds nothing ends the rotation.
MOST_PASSES = 5


def _counts() -> dict[str, int]:
    return {box.kind: 0 for box in BOXES}


@dataclass(slots=True)
class Rotated:
    """By kind, how many boxes were closed anew and how many are under the newest key now; `shut` names those that no
    key here opens."""

    resealed: dict[str, int] = field(default_factory=_counts)
    newest: dict[str, int] = field(default_factory=_counts)
    shut: list[str] = field(default_factory=list)


def check_keys() -> None:
    """Whether a rotation can begin.

    Raises:
        Refused: a key is missing or malformed, or what is closed now would be under an old key.
    """
    try:
        private, public = sealing.private_keys(), sealing.public_key()
    except SealError as error:
        raise Refused(str(error), code="bad_key") from None
    if not private:
        raise Refused(
            "FIELD_ENCRYPTION_KEYS is empty: give this command the worker's keys, newest first", code="no_key"
        )
    if private[0].public_key != public:
        detail = "FIELD_ENCRYPTION_PUBLIC_KEY must be the public half of the first of FIELD_ENCRYPTION_KEYS, the newest"
        raise Refused(detail, code="other_public_key")


def rotate(*, actor: Actor) -> Rotated:
    """Close everything under the newest of FIELD_ENCRYPTION_KEYS and of SECRET_KEY, and say so in the audit log.

    Killed at any moment, every box opens with one of the keys, as before. Done when a pass finds nothing more to do.

    Raises:
        Refused: as check_keys; nothing was changed.
    """
    check_keys()
    done = Rotated()
    for _ in range(MOST_PASSES):
        before = sum(done.resealed.values())
        done.newest, done.shut = _counts(), []
        for box in BOXES:
            for row_id in list(box.rows(OWNER).values_list("pk", flat=True)):
                _renew(box, row_id, done)
        if sum(done.resealed.values()) == before:
            break
    with transaction.atomic():
        audit.record(
            actor,
            "encryption_keys_rotated",
            "installation",
            1,
            resealed=done.resealed,
            newest=done.newest,
            shut=len(done.shut),
        )
    return done


@transaction.atomic(using=OWNER)
def _renew(box: Box, row_id: object, done: Rotated) -> None:
    """One box under the newest key. What was deleted or emptied since is none."""
    row = box.rows(OWNER).select_for_update(no_key=True).filter(pk=row_id).first()
    if row is None:
        return
    if box.under_newest(box.kind, row_id, box.of(row)):
        done.newest[box.kind] += 1
        return
    try:
        secret = box.open(box.kind, row_id, box.of(row))
    except SHUT:
        done.shut.append(box.named(row))
        return
    box.rows(OWNER).filter(pk=row_id).update(**{box.column: box.close(box.kind, row_id, secret)})
    done.resealed[box.kind] += 1
