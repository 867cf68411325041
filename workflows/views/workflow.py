"""Making and disabling a workflow. Enabling and editing read the chain first: solflow.views.workflow and builder."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from workflows.forms.start import StartForm
from workflows.forms.workflow import WorkflowForm
from workflows.selectors import channels_by_id, signer_list, workflow_get
from workflows.services import workflow_create, workflow_disable


@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def start(request: PageRequest) -> HttpResponse:
    """A name and a trigger; the rest is filled in by the builder, to which it leads."""
    form = StartForm(request.POST or None, signers=signer_list(team=request.actor.team))
    workflow = form.saved(
        lambda: workflow_create(
            actor=request.actor,
            definition=form.definition,
            settings=form.settings,
            signer_id=form.signer_id,
            draft=form.draft,
        )
    )
    if workflow is not None:
        return redirect("workflows:builder", workflow.id)
    return render(request, "workflows/start.html", {"form": form}, status=form.status)


@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def create(request: PageRequest) -> HttpResponse:
    """The empty form, and what comes of it: a workflow that is not enabled yet."""
    team = request.actor.team
    form = WorkflowForm(request.POST or None, signers=signer_list(team=team))
    workflow = form.saved(
        lambda: workflow_create(
            actor=request.actor,
            definition=form.cleaned_data["definition"],
            settings=form.settings,
            signer_id=form.signer_id,
        )
    )
    if workflow is not None:
        messages.success(request, f"{workflow.name} is saved. It watches nothing until you enable it.")
        return redirect("workflows:detail", workflow.id)
    context = {
        "form": form,
        "definition_errors": form.definition_errors,
        "channels": channels_by_id(team=team),
    }
    return render(request, "workflows/edit.html", context, status=form.status)


@require_POST
@page(Role.ADMIN)
def disable(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    with telling(request, f"{workflow.name} is disabled. No event runs it any more."):
        workflow_disable(actor=request.actor, workflow=workflow)
    return redirect("workflows:detail", workflow_id)
