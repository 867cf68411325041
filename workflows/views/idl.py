"""IDLs: how a program's events are read and its instructions written."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from workflows.forms.idl import IdlForm
from workflows.selectors import idl_get, idl_list, with_usage, workflows_naming
from workflows.services import idl_create, idl_delete
from workflows.specs.idl_summaries import summary


@require_safe
@page()
def index(request: PageRequest) -> HttpResponse:
    """Every IDL, what is in it, and how many workflows use it."""
    return render(request, "idls/list.html", {"idls": list(with_usage(idl_list(team=request.actor.team)))})


@require_safe
@page()
def detail(request: PageRequest, idl_id: UUID) -> HttpResponse:
    """The events and instructions that workflows can name."""
    team = request.actor.team
    idl = idl_get(team=team, idl_id=idl_id)
    context = {
        "idl": idl,
        "summary": summary(idl.document, idl.program_id),
        "workflows": list(workflows_naming(team=team, row_id=idl_id).select_related(None).defer("draft")),
    }
    return render(request, "idls/detail.html", context)


@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def create(request: PageRequest) -> HttpResponse:
    """Upload a document, or paste it."""
    form = IdlForm(request.POST, request.FILES) if request.method == "POST" else IdlForm()
    made = form.saved(
        lambda: idl_create(
            actor=request.actor,
            name=form.cleaned_data["name"],
            document=form.cleaned_data["document"],
            program_id=form.cleaned_data["program_id"] or None,
        )
    )
    if made is None:
        return render(request, "idls/create.html", {"form": form}, status=form.status)
    messages.success(request, f"{made.name} is saved. Workflows can name its events and instructions.")
    return redirect("idls:detail", made.id)


@require_POST
@page(Role.ADMIN)
def delete(request: PageRequest, idl_id: UUID) -> HttpResponse:
    idl = idl_get(team=request.actor.team, idl_id=idl_id)
    with telling(request, f"{idl.name} is deleted."):
        idl_delete(actor=request.actor, idl=idl)
        return redirect("idls:list")
    return redirect("idls:detail", idl_id)
