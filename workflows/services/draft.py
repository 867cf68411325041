"""The draft of a workflow: what the builder edits. It is always kept, however wrong, and never runs.

Publishing it is `workflows.services.workflow_publish`, which reads the chain first in listener.services.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from accounts import audit
from accounts.actors import Actor
from workflows.checks import check_draft
from workflows.drafting.paths import Document
from workflows.models import Workflow
from workflows.selectors import workflow_document
from workflows.services.changes import lock_workflow, write


@transaction.atomic
def draft_save(*, actor: Actor, workflow: Workflow, change: Callable[[Document], Document]) -> Workflow:
    """Put what `change` makes of the draft in its place; where there is none yet, of a copy of what is live.

    `change` gets the draft as it is under the lock, so two people who edit different cards keep both edits. What is
    again as it is live is no draft. The audit log says when a draft is begun, not each edit: it does nothing yet.

    Raises:
        Invalid: too large, or with a secret in it; the draft stays as it was. What `change` raises.
        Missing: the workflow was deleted meanwhile.
    """
    workflow = lock_workflow(workflow)
    document = change(workflow_document(workflow=workflow))
    live = workflow.version.definition if workflow.version is not None else None
    draft = None if document == live else check_draft(document)
    if draft == workflow.draft:
        return workflow
    if workflow.draft is None:
        audit.record(actor, "workflow_draft_begun", "workflow", workflow.id, target_name=workflow.name)
    write(workflow, {"draft": draft})
    return workflow


@transaction.atomic
def draft_discard(*, actor: Actor, workflow: Workflow) -> Workflow:
    """No draft any more: the builder shows what is live again."""
    workflow = lock_workflow(workflow)
    if workflow.draft is not None:
        write(workflow, {"draft": None})
        audit.record(actor, "workflow_draft_discarded", "workflow", workflow.id, target_name=workflow.name)
    return workflow
