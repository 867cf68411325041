"""The versions of a workflow: what changed from one to the next, in words, and the way back to one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import Missing
from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from listener.services import workflow_update
from solflow.ui.builder.changes import changes_in_words, json_lines
from workflows.drafting.cards import ordered
from workflows.drafting.paths import Document
from workflows.models import Workflow, WorkflowVersion
from workflows.selectors import channels_by_id, workflow_get, workflow_version, workflow_versions
from workflows.services import draft_save
from workflows.specs.errors import SpecErrors
from workflows.specs.workflow import dump, parse

VERSIONS_SHOWN = 100
DRAFT = "draft"


@require_safe
@page()
def index(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """One version, or the draft, compared with an earlier one: its predecessor unless said otherwise."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    live = workflow.version.number if workflow.version is not None else 0
    shown = _number(request.GET.get("version")) or live
    is_draft = workflow.draft is not None and request.GET.get("version", DRAFT) == DRAFT
    against = _number(request.GET.get("against")) or (live if is_draft else shown - 1)
    after = _normalised(workflow.draft) if is_draft and workflow.draft else _definition(workflow, shown)
    before = _definition(workflow, against) if against > 0 else {}
    context: dict[str, Any] = {
        "workflow": workflow,
        "versions": workflow_versions(workflow=workflow).defer("definition")[:VERSIONS_SHOWN],
        "is_draft": is_draft,
        "shown": shown,
        "against": against,
        "changes": changes_in_words(before, after, channels_by_id(team=request.actor.team)),
        "lines": json_lines(before, after),
    }
    return render(request, "workflows/versions.html", context)


@require_POST
@page(Role.ADMIN)
def return_to(request: PageRequest, workflow_id: UUID, number: int) -> HttpResponse:
    """Publish an earlier definition again, as a new version; with `into=draft` put it into the draft instead."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    definition = _definition(workflow, number)
    if request.POST.get("into") == DRAFT:
        with telling(request, f"The draft is version {number} now. Nothing is published yet."):
            draft_save(actor=request.actor, workflow=workflow, change=lambda _: definition)
        return redirect("workflows:builder", workflow_id)
    with telling(request):
        before = workflow.version_id
        workflow = workflow_update(actor=request.actor, workflow=workflow, changes={"definition": definition})
        messages.success(request, _told(workflow, number, is_new=workflow.version_id != before))
    return redirect("workflows:versions", workflow_id)


def _told(workflow: Workflow, number: int, *, is_new: bool) -> str:
    if workflow.version is None or not is_new:
        return f"Version {number} is what is published already."
    return f"Version {workflow.version.number} is published. It is what version {number} was."


def _number(text: str | None) -> int:
    """A version's number from an address; 0 for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else 0


def _normalised(draft: Document) -> Document:
    """As it would be published, so that only what means something else differs; a wrong one as it is."""
    try:
        return dump(parse(draft))
    except SpecErrors:
        return ordered(draft)


def _definition(workflow: Workflow, number: int) -> Document:
    if workflow.version is not None and workflow.version.number == number:
        return ordered(workflow.version.definition)
    found: WorkflowVersion | None = workflow_version(workflow=workflow, number=number)
    if found is None:
        raise Missing(f"there is no version {number} of this workflow")
    return ordered(found.definition)
