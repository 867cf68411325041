"""Writers: a person's second factor. Its seed is locked under SECRET_KEY, since the web process checks codes itself."""

from __future__ import annotations

import base64
import re
import secrets
import time

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Invalid, Refused
from accounts.locking import LockError, lock, unlock
from accounts.models import SecondFactor
from accounts.second_factor import totp
from accounts.services import token_digest

log = structlog.get_logger(__name__)

KIND = "second_factor"
RECOVERY_CODES = 10


def is_on(user: User) -> bool:
    """Whether signing in as this user needs a code."""
    return SecondFactor.objects.filter(user=user, enabled_at__isnull=False).exists()


@transaction.atomic
def second_factor_begin(*, user: User) -> None:
    """A new seed, which counts for nothing until `second_factor_enable` has seen a code of it.

    Raises:
        Refused: the user has a second factor; it is switched off first.
    """
    row = SecondFactor.objects.select_for_update().filter(user=user).first() or SecondFactor(user=user)
    if row.enabled_at is not None:
        raise Refused("the second factor is on already", code="is_on")
    row.box = lock(KIND, user.pk, totp.new_seed())
    row.save()


def seed_of(row: SecondFactor) -> bytes:
    """The seed. Raises accounts.locking.LockError where SECRET_KEY is not the one that locked it."""
    return unlock(KIND, row.user_id, bytes(row.box))


@transaction.atomic
def second_factor_enable(*, actor: Actor, user: User, code: str) -> list[str]:
    """Ask for a code at every sign-in from now on; returns the recovery codes, which are not kept.

    Raises:
        Invalid: not a code of the seed that was begun, or none was begun.
    """
    row = SecondFactor.objects.select_for_update().filter(user=user, enabled_at=None).first()
    if row is None or not _accept(row, code):
        raise wrong_code()
    row.enabled_at = timezone.now()
    codes = _new_recovery_codes(row)
    audit.record(actor, "second_factor_enabled", "user", user.pk, target_name=user.get_username())
    return codes


@transaction.atomic
def second_factor_renew_codes(*, actor: Actor, user: User, code: str) -> list[str]:
    """Other recovery codes; the former are worth nothing.

    Raises:
        Invalid: a wrong code.
    """
    row = _opened(user, code)
    codes = _new_recovery_codes(row)
    audit.record(actor, "recovery_codes_renewed", "user", user.pk, target_name=user.get_username())
    return codes


@transaction.atomic
def second_factor_disable(*, actor: Actor, user: User, code: str) -> None:
    """The password alone is enough again; passkeys are worth nothing without the codes beside them, and go too.

    Raises:
        Invalid: a wrong code.
    """
    _opened(user, code)
    second_factor_remove(actor, user)


@transaction.atomic
def second_factor_remove(actor: Actor, user: User) -> None:
    """For somebody else, who has lost it, passkeys and all; nothing happens where there is none."""
    user.passkeys.all().delete()
    if SecondFactor.objects.filter(user=user).delete()[0]:
        audit.record(actor, "second_factor_disabled", "user", user.pk, target_name=user.get_username())


@transaction.atomic
def second_factor_check(*, user: User, code: str) -> bool:
    """Whether the code opens the door for this user. Each code does so once, however many try it at the same time."""
    row = SecondFactor.objects.select_for_update().filter(user=user, enabled_at__isnull=False).first()
    return row is not None and _accept(row, code)


def _opened(user: User, code: str) -> SecondFactor:
    row = SecondFactor.objects.select_for_update().filter(user=user, enabled_at__isnull=False).first()
    if row is None or not _accept(row, code):
        raise wrong_code()
    return row


def wrong_code() -> Invalid:
    """What every change says that was given a wrong code."""
    return Invalid.field("code", "wrong_code", "this is not a valid code, or it was used already")


def _accept(row: SecondFactor, code: str) -> bool:
    """Use a code up, in the caller's transaction, which holds the row."""
    code = re.sub(r"[\s-]", "", code).lower()
    if re.fullmatch(rf"[0-9]{{{totp.DIGITS}}}", code):
        try:
            step = totp.step_of(seed_of(row), code, time.time(), after=row.last_step)
        except LockError as error:
            # After a change of SECRET_KEY that kept no fallback: recovery codes still work, and doctor names the box.
            log.error("second_factor_shut", error=str(error))
            return False
        if step is None:
            return False
        row.last_step = step
        row.save(update_fields=["last_step"])
        return True
    digest = token_digest(code)
    if digest not in row.recovery:
        return False
    row.recovery = [one for one in row.recovery if one != digest]
    row.save(update_fields=["recovery"])
    return True


def _new_recovery_codes(row: SecondFactor) -> list[str]:
    # 80 random bits each: a slow hash adds nothing.
    texts = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]
    row.recovery = [token_digest(text) for text in texts]
    row.save()
    return ["-".join(re.findall("....", text)) for text in texts]
