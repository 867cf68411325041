"""Making a signer."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from accounts.pages import PageRequest
from accounts.permissions import page
from workflows.forms.signer import SignerForm
from workflows.services import signer_create


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
