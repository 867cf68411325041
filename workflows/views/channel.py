"""Making, changing, switching and deleting a channel."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from accounts.pages import PageRequest, reason, telling
from accounts.permissions import page
from workflows.forms.channel import FORMS, KINDS
from workflows.selectors import channel_get
from workflows.services import channel_create, channel_delete, channel_secret_make, channel_update
from workflows.services.channel_health import BY_HAND, channel_switch_off, channel_switch_on

SECRETS = ("webhook_url", "bot_token", "url", "secret")


@sensitive_post_parameters(*SECRETS)
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
        return render(request, "channels/edit.html", {"form": form, "kinds": KINDS}, status=form.status)
    if channel.made_secret:
        return render(request, "channels/secret.html", {"channel": channel})
    messages.success(request, f"{channel.name} is saved. Send a test to see whether it works.")
    return redirect("channels:detail", channel.id)


@sensitive_post_parameters(*SECRETS)
@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def edit(request: PageRequest, channel_id: UUID) -> HttpResponse:
    """Its name and config. A secret that is left empty stays."""
    channel = channel_get(team=request.actor.team, channel_id=channel_id)
    form = FORMS[channel.type](request.POST or None, shown=channel.shown, initial={"name": channel.name})
    saved = form.saved(
        lambda: channel_update(
            actor=request.actor,
            channel=channel,
            changes={"name": form.cleaned_data["name"], "config": form.config},
        )
    )
    if saved is None:
        context = {"form": form, "channel": channel}
        return render(request, "channels/edit.html", context, status=form.status)
    messages.success(request, f"{saved.name} is saved. Send a test to see whether it works.")
    return redirect("channels:detail", channel_id)


@require_POST
@never_cache
@page(Role.ADMIN)
def signing_secret(request: PageRequest, channel_id: UUID) -> HttpResponse:
    """Another signing secret, shown on the page that answers and nowhere else."""
    channel = channel_get(team=request.actor.team, channel_id=channel_id)
    with telling(request):
        changed = channel_secret_make(actor=request.actor, channel=channel)
        return render(request, "channels/secret.html", {"channel": changed})
    return redirect("channels:detail", channel_id)


@require_POST
@page(Role.OPERATOR)
def enable(request: PageRequest, channel_id: UUID) -> HttpResponse:
    channel = channel_get(team=request.actor.team, channel_id=channel_id)
    with telling(request, f"{channel.name} is switched on. What became a dead letter meanwhile can be resent."):
        channel_switch_on(actor=request.actor, channel=channel)
    return redirect("channels:detail", channel_id)


@require_POST
@page(Role.OPERATOR)
def disable(request: PageRequest, channel_id: UUID) -> HttpResponse:
    channel = channel_get(team=request.actor.team, channel_id=channel_id)
    with telling(request, f"{channel.name} is switched off. Nothing is sent to it."):
        channel_switch_off(actor=request.actor, channel=channel, reason=reason(request) or BY_HAND)
    return redirect("channels:detail", channel_id)


@require_POST
@page(Role.ADMIN)
def delete(request: PageRequest, channel_id: UUID) -> HttpResponse:
    channel = channel_get(team=request.actor.team, channel_id=channel_id)
    with telling(request, f"{channel.name} is deleted."):
        channel_delete(actor=request.actor, channel=channel)
        return redirect("channels:list")
    return redirect("channels:detail", channel_id)
