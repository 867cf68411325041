"""The only writers of signers. A secret comes in, is sealed, and is gone: web cannot open what it closed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Invalid, Missing, Refused
from accounts.sealing import seal
from chain.errors import InvalidSecretKey
from chain.tx.signers import KeypairSigner, generate, parse_secret_key
from workflows.errors import invalid
from workflows.models import Signer
from workflows.selectors import workflow_list
from workflows.services.changes import differences, refusing_duplicates, write
from workflows.specs.errors import SpecErrors
from workflows.specs.fields import is_address
from workflows.specs.signer_backends import LOCAL, BackendConfig, validate_backend


def signer_create(
    *,
    actor: Actor,
    name: str,
    secret_key: str | Sequence[int] | None = None,
    max_lamports_per_day: int | None = None,
    backend: str = LOCAL,
    address: str | None = None,
    config: Any = None,
) -> Signer:
    """A signer with the given key (base58 text, or 64 numbers as text or list), or with a new one; or, with another
    `backend`, one whose key stays there: `address` says which it is, `config` how to ask for its signatures.

    Nobody is asked here. That the backend signs for the address is found out by its first signature.

    Raises:
        Invalid: not a secret key, or a config that the backend does not take; the message never repeats it.
        Refused: the key is a signer already.
    """
    signer = Signer(
        id=uuid.uuid4(), team=actor.team, name=name, backend=backend, max_lamports_per_day=max_lamports_per_day
    )
    if backend == LOCAL:
        _refuse_beside("a local key", address=address, config=config)
        secret = generate() if secret_key is None else _parse(secret_key)
        signer.address = KeypairSigner.from_secret(secret).address
    else:
        _refuse_beside(f"a key that {backend} keeps", secret_key=secret_key)
        checked = _checked(backend, config)
        signer.address, signer.config, secret = _address(address), checked.shown, _as_bytes(checked)
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
            backend=backend,
        )
    return signer


@transaction.atomic
def signer_update(*, actor: Actor, signer: Signer, changes: Mapping[str, Any]) -> Signer:
    """Change `name`, `max_lamports_per_day` (a lower one holds for everything that is not signed yet) or, where a
    backend keeps the key, its `config`, which replaces the old one whole.

    Raises:
        Invalid: a config for a local key, or one that the backend does not take.
    """
    signer = _lock(signer)
    plain = {name: value for name, value in changes.items() if name != "config"}
    changed = differences(signer, plain)
    if "config" in changes and changes["config"] != signer.config:
        given = _changed_config(signer, changes["config"])
        # Said even where only what is masked differs: nobody here could tell.
        changed["config"] = {"from": signer.config, "to": given["config"]}
        plain |= given
    if changed:
        write(signer, plain)
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
    # Said again without a reason, the one that was given stays.
    reason = reason or signer.paused_reason or ""
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


def _refuse_beside(what: str, **given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise Invalid.field(name, "not_here", f"{name} does not go with {what}")


def _address(address: str | None) -> str:
    if address is None:
        raise Invalid.field("address", "required", "the address of the key that the backend keeps is missing")
    if not is_address(address):
        raise Invalid.field("address", "not_an_address", "must be a Solana address in base58")
    return address


def _checked(backend: str, config: Any) -> BackendConfig:
    try:
        return validate_backend(backend, config, allowed_hosts=settings.OUTBOUND_ALLOWED_HOSTS)
    except SpecErrors as error:
        problems = error.errors
    raise invalid(problems)


def _as_bytes(checked: BackendConfig) -> bytes:
    return json.dumps(checked.whole).encode()


def _changed_config(signer: Signer, config: Any) -> dict[str, Any]:
    if signer.is_local:
        raise Invalid.field("config", "not_here", "config does not go with a local key")
    checked = _checked(signer.backend, config)
    return {"config": checked.shown, "sealed": seal("signer", signer.id, _as_bytes(checked))}


def _lock(signer: Signer) -> Signer:
    locked = Signer.objects.select_for_update().filter(pk=signer.pk, deleted_at=None).first()
    if locked is None:
        raise Missing("there is no such signer")
    return locked
