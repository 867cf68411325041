"""Pause and resume of everything: one row, locked by whoever is about to sign (executions.limits)."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Refused
from accounts.models import Installation
from executions import dispatch, live
from executions.models import Attempt, Execution
from executions.states import MAY_LAND
from workflows.models import Signer, Workflow

ASK_THE_CHAIN = "Run `manage.py reconcile --after-restore`, then lift the pause."


@transaction.atomic
def installation_pause(*, actor: Actor, reason: str) -> list[str]:
    """Stop all signing. When this has committed, nothing more is signed, and nothing is sent for the first time.

    Returns the signatures that were marked for sending before and are not final: those may still land.
    """
    # The update waits for every transaction that holds the row shared, which is whoever is signing right now.
    row = Installation.objects.select_for_update().get(pk=1)
    # Said again without a reason, the one that was given stays; and since when it holds.
    reason = reason or row.paused_reason
    Installation.objects.filter(pk=1).update(paused_at=row.paused_at or timezone.now(), paused_reason=reason)
    audit.record(actor, "paused", "installation", 1, reason=reason)
    live.announce("standing")
    return may_still_land()


@transaction.atomic
def installation_restored(*, actor: Actor, reason: str) -> list[str]:
    """This database may not know what it has paid: stop all signing until the chain was asked.

    `installation_resume` refuses from now on, until `reconcile --after-restore` (executions.after_restore) has run.
    Returns what `installation_pause` does.
    """
    Installation.objects.filter(pk=1).update(restored_at=timezone.now())
    return installation_pause(actor=actor, reason=f"{reason} {ASK_THE_CHAIN}")


@transaction.atomic
def installation_resume(*, actor: Actor) -> None:
    """Lift the pause; what waited runs, unless it has become too old (`max_event_age_s`).

    Raises:
        Refused: the database was restored, and nobody has asked the chain yet what it has paid since (`restored`).
    """
    row = Installation.objects.select_for_update().get(pk=1)
    if row.restored_at is not None:
        raise Refused(f"This database may have paid more than it knows. {ASK_THE_CHAIN}", code="restored")
    Installation.objects.filter(pk=1).update(paused_at=None, paused_reason="")
    audit.record(actor, "resumed", "installation", 1)
    live.announce("standing")
    transaction.on_commit(release_waiting)


def may_still_land(*, workflow: Workflow | None = None, signer: Signer | None = None) -> list[str]:
    """Signatures whose bytes may have left this machine and that nobody has seen land; of everything, of a workflow or
    of a signer. Asked after the pause of the same has committed, they are all that there will be."""
    sent = Attempt.objects.filter(sending_at__isnull=False, finalized_at=None, status__in=MAY_LAND)
    if workflow is not None:
        sent = sent.filter(execution_id__in=Execution.objects.filter(workflow=workflow).values("id"))
    if signer is not None:
        sent = sent.filter(signer=signer)
    return list(sent.order_by("id").values_list("signature", flat=True))


def release_waiting(limit: int = 1000) -> int:
    """Wake executions that waited for a pause which is over; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_execution SET waiting_for = NULL WHERE id IN ("
            " SELECT e.id FROM executions_execution e JOIN workflows_workflow w ON w.id = e.workflow_id"
            " LEFT JOIN workflows_signer s ON s.id = w.signer_id JOIN accounts_installation i ON i.id = 1"
            " WHERE e.status = 'pending' AND e.waiting_for = 'pause' AND w.paused_at IS NULL"
            " AND (w.signer_id IS NULL OR s.paused_at IS NULL) AND i.paused_at IS NULL"
            " ORDER BY e.id LIMIT %s FOR UPDATE OF e SKIP LOCKED) RETURNING id",
            [limit],
        )
        ids = [row[0] for row in cursor.fetchall()]
    dispatch.wake(ids)
    return len(ids)
