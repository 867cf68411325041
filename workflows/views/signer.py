"""Making and pausing a signer."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from accounts.pages import PageRequest, reason, telling
from accounts.permissions import page
from workflows.forms.signer import SignerForm
from workflows.selectors import signer_get
from workflows.services import signer_create, signer_pause, signer_resume


@sensitive_post_parameters("secret_key")
@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def create(request: PageRequest) -> HttpResponse:
    """Import a key, or make one."""
    form = SignerForm(request.POST or None)
    signer = form.saved(
        lambda: signer_create(
            actor=request.actor,
            name=form.cleaned_data["name"],
            secret_key=form.cleaned_data["secret_key"] or None,
            max_lamports_per_day=form.cleaned_data["max_lamports_per_day"],
        )
    )
    if signer is not None:
        messages.success(request, f"{signer.name} can sign. It pays from {signer.address}.")
        return redirect("signers:list")
    return render(request, "signers/create.html", {"form": form}, status=form.status)


@require_POST
@page(Role.OPERATOR)
def pause(request: PageRequest, signer_id: UUID) -> HttpResponse:
    """When this answers, nothing more is signed with it."""
    signer = signer_get(team=request.actor.team, signer_id=signer_id)
    with telling(request, f"{signer.name} is paused."):
        signer_pause(actor=request.actor, signer=signer, reason=reason(request))
    return redirect("signers:list")


@require_POST
@page(Role.OPERATOR)
def resume(request: PageRequest, signer_id: UUID) -> HttpResponse:
    signer = signer_get(team=request.actor.team, signer_id=signer_id)
    with telling(request, f"{signer.name} signs again."):
        signer_resume(actor=request.actor, signer=signer)
    return redirect("signers:list")
