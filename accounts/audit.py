"""The one way into the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.models import AuditEntry

if TYPE_CHECKING:
    from accounts.actors import Actor


def record(
    actor: Actor, action: str, target_type: str, target_id: object, *, target_name: str = "", **detail: Any
) -> AuditEntry:
    """Write one entry in the caller's transaction, so that it exists exactly when what it describes does.

    `detail` says what changed, in JSON values; it never holds a secret.

    Raises:
        RuntimeError: called outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("audit.record belongs in the transaction that it describes")
    return AuditEntry.objects.create(
        team=actor.team,
        actor=actor.name,
        address=actor.address,
        action=action,
        target_type=target_type,
        target_id=str(target_id),
        target_name=target_name,
        detail=detail,
    )
