"""Making a channel."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from accounts.pages import PageRequest
from accounts.permissions import page
from workflows.forms.channel import ChannelForm
from workflows.services import channel_create


@sensitive_post_parameters("webhook_url")
@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def create(request: PageRequest) -> HttpResponse:
    """Where messages go."""
    form = ChannelForm(request.POST or None)
    channel = form.saved(
        lambda: channel_create(
            actor=request.actor,
            name=form.cleaned_data["name"],
            type=form.cleaned_data["type"],
            config=form.config,
        )
    )
    if channel is not None:
        messages.success(request, f"{channel.name} is saved. Send a test to see whether it works.")
        return redirect("channels:list")
    return render(request, "channels/create.html", {"form": form}, status=form.status)
