"""Workflows with what they did, and the changes that read the chain first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.keyset import BadCursor, older_page
from accounts.models import Role, Team
from accounts.pages import PageRequest, telling, words
from accounts.permissions import page
from executions.activity import counts_24h, funnel_24h, last_runs, spent_24h_by_workflow
from executions.models import Execution
from executions.selectors import last_attempts
from listener.services import workflow_enable, workflow_update
from workflows.forms.workflow import WorkflowForm
from workflows.labels import labels_in
from workflows.models import Workflow
from workflows.selectors import channels_by_id, signer_list, workflow_get, workflow_list, workflow_versions
from workflows.views.webhook_secret import webhook_of

PAGE_SIZE = 50
RUNS_SHOWN = 10
VERSIONS_SHOWN = 20
STATES = {
    "active": Q(enabled=True, paused_at=None),
    "paused": Q(enabled=True, paused_at__isnull=False),
    "disabled": Q(enabled=False),
}


@require_safe
@page()
def index(request: PageRequest) -> HttpResponse:
    """The team's workflows with their last 24 hours."""
    team = request.actor.team
    filters = words(request, "q", "status")
    try:
        workflows, next_cursor = older_page(_narrowed(team, **filters), request.GET.get("before"), size=PAGE_SIZE)
    except BadCursor:
        workflows, next_cursor = [], None
    context = {
        "workflows": workflows,
        "next_cursor": next_cursor,
        "filters": filters,
        "older": "before" in request.GET,
        "channels": channels_by_id(team=team),
        "counts": counts_24h(workflows),
        "spent": spent_24h_by_workflow(workflows),
        "last_runs": last_runs(workflows),
    }
    return render(request, "workflows/list.html", context)


@require_safe
@page()
def detail(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """What a workflow does, within which limits, and what it did."""
    team = request.actor.team
    workflow = workflow_get(team=team, workflow_id=workflow_id)
    runs = Execution.objects.filter(workflow=workflow).defer("steps", "simulation", "filter_trace")
    executions = list(runs.order_by("-created_at", "-id")[:RUNS_SHOWN])
    context = {
        "workflow": workflow,
        "channels": channels_by_id(team=team),
        "funnel": funnel_24h(workflow),
        "executions": executions,
        "labels": labels_in(team=team, values=_shown(workflow, executions)),
        "attempts": last_attempts(executions),
        "versions": workflow_versions(workflow=workflow).defer("definition")[:VERSIONS_SHOWN],
        "webhook": webhook_of(request, workflow),
    }
    return render(request, "workflows/detail.html", context)


@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def edit(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """The form, filled in; what is saved is live at once if the workflow is enabled."""
    team = request.actor.team
    workflow = workflow_get(team=team, workflow_id=workflow_id)
    form = WorkflowForm(request.POST or None, signers=signer_list(team=team), workflow=workflow)
    saved = form.saved(lambda: workflow_update(actor=request.actor, workflow=workflow, changes=form.changes))
    if saved is not None:
        messages.success(request, f"{saved.name} is saved.")
        return redirect("workflows:detail", workflow_id)
    context: dict[str, Any] = {
        "workflow": workflow,
        "form": form,
        "definition_errors": form.definition_errors,
        "channels": channels_by_id(team=team),
    }
    return render(request, "workflows/edit.html", context, status=form.status)


@require_POST
@page(Role.ADMIN)
def enable(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """From now on events run it."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    with telling(request, f"{workflow.name} is enabled. What happens from now on runs it."):
        workflow_enable(actor=request.actor, workflow=workflow)
    return redirect("workflows:detail", workflow_id)


def _shown(workflow: Workflow, executions: list[Execution]) -> list[Any]:
    """Where the page's addresses are."""
    definition = workflow.version.definition if workflow.version is not None else {}
    limits = [workflow.allowed_recipients, workflow.allowed_programs, list(workflow.max_tokens_per_tx)]
    return [definition, *filter(None, limits), *(row.event.get("account") for row in executions)]


def _narrowed(team: Team, *, q: str, status: str) -> QuerySet[Workflow]:
    """The list as filtered; nothing for a status that there is not."""
    rows = workflow_list(team=team)
    if q:
        rows = rows.filter(Q(name__icontains=q) | Q(description__icontains=q))
    if status:
        rows = rows.filter(STATES[status]) if status in STATES else rows.none()
    return rows
