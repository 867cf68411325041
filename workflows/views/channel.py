"""Making a channel."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from accounts.pages import PageRequest
from accounts.permissions import page
from workflows.forms.channel import FORMS, KINDS
from workflows.services import channel_create


@sensitive_post_parameters("webhook_url", "bot_token", "url", "secret")
@require_http_methods(["GET", "POST"])
@never_cache
@page(Role.ADMIN)
def create(request: PageRequest) -> HttpResponse:
    """Where messages go; `?type=` picks the kind. A webhook's secret that was made is on the page that answers."""
    kind = request.POST.get("type") or request.GET.get("type", "")
    form = FORMS.get(kind, FORMS["discord"])(request.POST or None)
    channel = form.saved(
        lambda: channel_create(actor=request.actor, name=form.cleaned_data["name"], type=form.kind, config=form.config)
    )
    if channel is None:
        return render(request, "channels/create.html", {"form": form, "kinds": KINDS}, status=form.status)
    if channel.made_secret:
        return render(request, "channels/secret.html", {"channel": channel})
    messages.success(request, f"{channel.name} is saved. Send a test to see whether it works.")
    return redirect("channels:list")
