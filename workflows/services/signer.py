"""The only writers of signers. A secret key comes in, is sealed, and is gone: web cannot open what it closed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Invalid, Missing, Refused
from accounts.sealing import seal
from chain.errors import InvalidSecretKey
from chain.tx.signers import KeypairSigner, generate, parse_secret_key
from workflows.models import Signer
from workflows.selectors import workflow_list
from workflows.services.changes import differences, refusing_duplicates, write


def signer_create(
    *,
    actor: Actor,
    name: str,
    secret_key: str | Sequence[int] | None = None,
    max_lamports_per_day: int | None = None,
) -> Signer:
    """A signer with the given key (base58 text, or 64 numbers as text or list), or with a new one.

    Raises:
        Invalid: not a secret key; the message never repeats it.
        Refused: the key is a signer already.
    """
    secret = generate() if secret_key is None else _parse(secret_key)
    signer = Signer(
        id=uuid.uuid4(),
        team=actor.team,
        name=name,
        address=KeypairSigner.from_secret(secret).address,
        max_lamports_per_day=max_lamports_per_day,
    )
    signer.sealed = seal("signer", signer.id, secret)
    with refusing_duplicates("one_signer_of_an_address", f"{signer.address} is a signer already"):
        signer.save(force_insert=True)
        audit.record(
            actor,
            "signer_created",
            "signer",
            signer.id,
            target_name=name,
            address=signer.address,
            imported=secret_key is not None,
        )
    return signer


@transaction.atomic
def signer_update(*, actor: Actor, signer: Signer, changes: Mapping[str, Any]) -> Signer:
    """Change `name` or `max_lamports_per_day`; a lower limit holds for everything that is not signed yet."""
    signer = _lock(signer)
    changed = differences(signer, dict(changes))
    if changed:
        write(signer, dict(changes))
        audit.record(actor, "signer_updated", "signer", signer.id, target_name=signer.name, changed=changed)
    return signer


@transaction.atomic
def signer_delete(*, actor: Actor, signer: Signer) -> None:
    """Nothing can be signed with it any more. The sealed key stays in the database: money may still lie on its address.

    Raises:
        Refused: an enabled workflow signs with it.
    """
    signer = _lock(signer)
    using = list(workflow_list(team=signer.team).filter(signer=signer, enabled=True).values_list("name", flat=True)[:5])
    if using:
        raise Refused(f"enabled workflows sign with it: {', '.join(using)}", code="signer_in_use")
    write(signer, {"deleted_at": timezone.now()})
    audit.record(actor, "signer_deleted", "signer", signer.id, target_name=signer.name, address=signer.address)


@transaction.atomic
def signer_pause(*, actor: Actor, signer: Signer, reason: str) -> Signer:
    """When this has committed, nothing more is signed with it: signing locks its row (executions.limits)."""
    signer = _lock(signer)
    write(signer, {"paused_at": signer.paused_at or timezone.now(), "paused_reason": reason})
    audit.record(actor, "signer_paused", "signer", signer.id, target_name=signer.name, reason=reason)
    return signer


@transaction.atomic
def signer_resume(*, actor: Actor, signer: Signer) -> Signer:
    """What waited for it runs."""
    signer = _lock(signer)
    if signer.paused_at is not None:
        write(signer, {"paused_at": None, "paused_reason": None})
        audit.record(actor, "signer_resumed", "signer", signer.id, target_name=signer.name)
    return signer


def _parse(secret_key: str | Sequence[int]) -> bytes:
    text = secret_key if isinstance(secret_key, str) else json.dumps(list(secret_key))
    try:
        return parse_secret_key(text)
    except InvalidSecretKey as error:
        problem = str(error)
    # Raised outside the handler: nothing that a log or an error tracker follows may lead to the key.
    raise Invalid.field("secret_key", "invalid_secret_key", problem)


def _lock(signer: Signer) -> Signer:
    locked = Signer.objects.select_for_update().filter(pk=signer.pk, deleted_at=None).first()
    if locked is None:
        raise Missing("there is no such signer")
    return locked
