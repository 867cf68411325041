"""Pauses that SolFlow sets by itself: a workflow that keeps failing, or that spent more than was reserved, is stopped
before it goes on, and everybody whom it tells anything is told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from executions import dispatch
from executions.definitions import spec_of
from executions.messages import PAUSED
from executions.models import Delivery
from workflows.services.workflow import workflow_pause_itself


def pause_workflow(*, workflow_id: UUID, reason: str, execution_id: int, now: datetime) -> bool:
    """Pause the workflow, in the caller's transaction, unless it is paused; returns whether this call did.

    With it commit the audit entry, the listeners' notice and one delivery to each channel that the current definition
    names, whatever outcomes that channel is told of. `execution_id` is the row that brought it about. The caller holds
    no row that comes after workflows in the order of executions.limits.
    """
    workflow = workflow_pause_itself(workflow_id=workflow_id, reason=reason)
    if workflow is None:
        return False
    channels = {one.channel for one in spec_of(workflow.version_id).notifications} if workflow.version_id else set()
    # Not the notifications' own texts: those speak of an execution.
    Delivery.objects.bulk_create(
        Delivery(
            execution_id=execution_id,
            team_id=workflow.team_id,
            channel_id=channel,
            outcome=PAUSED,
            template={"reason": reason},
            next_attempt_at=now,
        )
        for channel in sorted(channels)
    )
    if channels:
        transaction.on_commit(dispatch.wake_notify)
    return True
