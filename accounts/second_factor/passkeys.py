"""Writers: a person's passkeys. They stand beside the codes of an app, which work without script and on any machine.

A challenge is a row that its answer deletes, in a transaction of its own: it is used up by whatever came of it, and of
many answers at once by one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Invalid, Missing, Refused
from accounts.models import Passkey, PasskeyChallenge, Role, SecondFactor
from accounts.second_factor import ceremonies
from accounts.second_factor.ceremonies import CeremonyError, Site
from accounts.second_factor.services import second_factor_check, wrong_code
from accounts.selectors import actor_of
from accounts.services import default_team

log = structlog.get_logger(__name__)

MOST = 20
VALID_FOR = timedelta(minutes=5)
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A challenge, and the JSON that a browser hands to the authenticator."""

    challenge_id: UUID
    options: str


def passkeys_of(user: User, site: Site) -> QuerySet[Passkey]:
    """Those that a browser offers at this address."""
    return Passkey.objects.filter(user=user, rp_id=site.rp_id).order_by("created_at")


@transaction.atomic
def passkey_begin(*, user: User, site: Site, name: str, code: str) -> Asked:
    """Ask for a new passkey; the code shows that it is not only a session that asks.

    Raises:
        Invalid: no name, one that another passkey of theirs has, or a wrong code.
        Refused: no second factor yet, no passkeys at this address, or too many.
    """
    name = name.replace("\x00", "").strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid.field("name", "invalid", f"must be 1 to {LONGEST_NAME} characters")
    _room(user, site)
    if Passkey.objects.filter(user=user, name=name).exists():
        raise Invalid.field("name", "taken", f"you have a passkey named {name}; each has a name of its own")
    if not second_factor_check(user=user, code=code):
        raise wrong_code()
    row = _challenge(user, PasskeyChallenge.Purpose.REGISTER, name)
    known = [bytes(one.credential) for one in passkeys_of(user, site)]
    options = ceremonies.ask_to_register(
        site, bytes(row.challenge), handle=_handle(user), name=user.get_username(), known=known
    )
    return Asked(row.id, options)


def passkey_register(*, actor: Actor, user: User, site: Site, challenge_id: str, answer: str) -> Passkey:
    """Keep what an authenticator made in answer to `passkey_begin`.

    Raises:
        Invalid: not an answer to a challenge of this user, or to one that was used or is over.
        Refused: the passkey is registered, or as in `passkey_begin`.
    """
    challenge = _taken(user, PasskeyChallenge.Purpose.REGISTER, challenge_id)
    if challenge is None:
        raise Invalid("this took too long, or was answered already: begin again")
    try:
        made = ceremonies.registered(site, bytes(challenge.challenge), answer)
    except CeremonyError as error:
        log.warning("passkey_not_made", user=user.pk, error=str(error))
        raise Invalid("the answer of the browser proves nothing: begin again") from error
    try:
        return _keep(actor, user, site, challenge.name, made)
    except IntegrityError as error:
        raise Refused("this passkey is registered already", code="is_registered") from error


@transaction.atomic
def passkey_remove(*, actor: Actor, user: User, passkey_id: UUID, code: str) -> None:
    """Forget a passkey of one's own.

    Raises:
        Missing: the user has no such passkey.
        Invalid: a wrong code.
    """
    row = Passkey.objects.select_for_update().filter(pk=passkey_id, user=user).first()
    if row is None:
        raise Missing("no such passkey")
    if not second_factor_check(user=user, code=code):
        raise wrong_code()
    row.delete()
    audit.record(actor, "passkey_removed", "user", user.pk, target_name=user.get_username(), passkey=row.name)


@transaction.atomic
def passkey_ask(*, user: User, site: Site) -> Asked | None:
    """What a browser needs to sign this user in with a passkey; None when there is none for this address."""
    known = [bytes(one.credential) for one in passkeys_of(user, site)]
    if not known or not site.has_passkeys:
        return None
    row = _challenge(user, PasskeyChallenge.Purpose.SIGN_IN)
    return Asked(row.id, ceremonies.ask_to_sign_in(site, bytes(row.challenge), known=known))


def passkey_forget(challenge_id: str | None) -> None:
    """What was asked and will not be answered: the page that asked has been asked for again."""
    if challenge_id:
        PasskeyChallenge.objects.filter(pk=challenge_id).delete()


def passkey_check(*, user: User, site: Site, challenge_id: str, answer: str, address: str | None) -> bool:
    """Whether a passkey of this user has answered; `address` is whence, for the audit log.

    A count of signatures that has not grown tells of a copy: refused, and an entry. Some authenticators count nothing.
    """
    challenge = _taken(user, PasskeyChallenge.Purpose.SIGN_IN, challenge_id)
    if challenge is None:
        return False
    try:
        return _accept(user, site, bytes(challenge.challenge), answer, address)
    except CeremonyError as error:
        log.warning("passkey_refused", user=user.pk, error=str(error))
        return False


@transaction.atomic
def _accept(user: User, site: Site, challenge: bytes, answer: str, address: str | None) -> bool:
    credential_id = ceremonies.credential_id_of(answer)
    row = passkeys_of(user, site).select_for_update().filter(credential_id=credential_id).first()
    if row is None:
        raise CeremonyError("a passkey that this user does not have here")
    count = ceremonies.signed_in(site, challenge, answer, bytes(row.credential))
    if (count or row.sign_count) and count <= row.sign_count:
        about = {"passkey": row.name, "count": count, "after": row.sign_count}
        stranger, name = _stranger(user, address), user.get_username()
        audit.record(stranger, "passkey_refused", "user", user.pk, target_name=name, **about)
        return False
    row.sign_count, row.last_used_at = count, timezone.now()
    row.save(update_fields=["sign_count", "last_used_at"])
    return True


@transaction.atomic
def _keep(actor: Actor, user: User, site: Site, name: str, made: ceremonies.Made) -> Passkey:
    _room(user, site)
    row = Passkey.objects.create(
        user=user,
        name=name,
        rp_id=site.rp_id,
        credential_id=made.credential_id,
        credential=made.credential,
        sign_count=made.sign_count,
    )
    audit.record(actor, "passkey_added", "user", user.pk, target_name=user.get_username(), passkey=name)
    return row


def _room(user: User, site: Site) -> None:
    """Refuse where one more may not be; holds the second factor's row, so that two at once are counted."""
    if not site.has_passkeys:
        raise Refused("browsers make no passkeys at this address", code="no_passkeys_here")
    if SecondFactor.objects.select_for_update().filter(user=user, enabled_at__isnull=False).first() is None:
        raise Refused("set up the codes of an app first: they work where passkeys do not", code="no_second_factor")
    if Passkey.objects.filter(user=user).count() >= MOST:
        raise Refused(f"{MOST} passkeys are enough: remove one first", code="too_many")


def _challenge(user: User, purpose: PasskeyChallenge.Purpose, name: str = "") -> PasskeyChallenge:
    return PasskeyChallenge.objects.create(
        user=user,
        purpose=purpose,
        name=name,
        challenge=secrets.token_bytes(32),
        expires_at=timezone.now() + VALID_FOR,
    )


@transaction.atomic
def _taken(user: User, purpose: PasskeyChallenge.Purpose, challenge_id: str) -> PasskeyChallenge | None:
    try:
        key = UUID(challenge_id)
    except ValueError:
        return None
    rows = PasskeyChallenge.objects.filter(pk=key, user=user, purpose=purpose, expires_at__gt=timezone.now())
    row = rows.select_for_update().first()
    if row is not None:
        rows.delete()
    return row


def _handle(user: User) -> bytes:
    """What authenticators know the account by. It goes to other devices, so it says nothing about the person."""
    return salted_hmac("accounts.passkeys", str(user.pk), algorithm="sha256").digest()


def _stranger(user: User, address: str | None) -> Actor:
    # Whoever holds a copy of a passkey is not believed to be its owner.
    known = actor_of(user, address)
    team = known.team if known is not None else default_team()
    return Actor(team=team, name="stranger", role=Role.VIEWER, address=address)
