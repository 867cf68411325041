"""Taking workflows away as a file, bringing them back, and making another of one."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from workflows.exports import export_of
from workflows.forms.exchange import ImportForm
from workflows.models import Workflow
from workflows.selectors import workflow_get, workflow_list
from workflows.services import Imported, workflow_duplicate, workflows_import


@require_safe
@page()
def export_all(request: PageRequest) -> HttpResponse:
    """All of the team's workflows as a file."""
    return _file(request, workflow_list(team=request.actor.team).select_related("signer"), "workflows")


@require_safe
@page()
def export(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """One workflow as a file."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    return _file(request, [workflow], f"workflow-{workflow_id}")


@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def import_(request: PageRequest) -> HttpResponse:
    """The form, and what comes of its file: all of its workflows, not enabled, or none."""
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    made = form.saved(lambda: _made(request, form))
    if made is None:
        return render(request, "workflows/import.html", {"form": form}, status=form.status)
    for warning in made.warnings:
        messages.warning(request, f"{warning}.")
    count = len(made.workflows)
    if count == 1:
        messages.success(request, "1 workflow is imported. It watches nothing until you enable it.")
        return redirect("workflows:detail", made.workflows[0].pk)
    messages.success(request, f"{count} workflows are imported. They watch nothing until you enable them.")
    return redirect("workflows:list")


def _made(request: PageRequest, form: ImportForm) -> Imported:
    is_meant = form.cleaned_data["from_other_network"]
    return workflows_import(actor=request.actor, document=form.document, from_other_network=is_meant)


@require_POST
@page(Role.ADMIN)
def duplicate(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """Another workflow that wants the same, to be changed and enabled."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    with telling(request):
        twin = workflow_duplicate(actor=request.actor, workflow=workflow)
        messages.success(request, f"{twin.name} is a copy of {workflow.name}. It watches nothing until you enable it.")
        return redirect("workflows:detail", twin.pk)
    return redirect("workflows:detail", workflow_id)


def _file(request: PageRequest, workflows: Iterable[Workflow], name: str) -> HttpResponse:
    document = export_of(team=request.actor.team, workflows=workflows)
    response = JsonResponse(document, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="solflow-{name}-{timezone.now():%Y-%m-%d}.json"'
    return response
