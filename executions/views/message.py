"""The page on which the words of a notification are tried."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.pages import PageRequest
from accounts.permissions import page
from executions.message_previews import OUTCOMES, MessagePreview, preview_message
from workflows.forms.message import MessageForm
from workflows.models import Channel, Workflow
from workflows.selectors import channel_list, workflow_list

NAMES_OFFERED = 500
STARTING = {"outcome": "success", "template": "default"}
ON = {"recovered": {"on": ["failed"], "recovery_after": 3}}


@require_http_methods(["GET", "POST"])
@page()
def preview(request: PageRequest) -> HttpResponse:
    """POST only because texts are long for an address: nothing is changed."""
    team = request.actor.team
    channels = list(channel_list(team=team).order_by("name").defer("sealed", "sealed_key")[:NAMES_OFFERED])
    workflows = list(workflow_list(team=team).order_by("name")[:NAMES_OFFERED])
    form = _form(request, channels, workflows)
    shown = form.saved(lambda: _preview(form, channels, workflows)) if channels else None
    context = {
        "form": form,
        "channel": _chosen(channels, form.data.get("channel")),
        "channels": channels,
        "shown": shown,
        "example": _example(form) if shown else "",
    }
    return render(request, "notifications/preview.html", context, status=form.status if channels else 200)


def _form(request: PageRequest, channels: list[Channel], workflows: list[Workflow]) -> MessageForm:
    """Filled in from the beginning, so that there is something to see before anything is typed."""
    chosen = request.GET.get("channel", "")
    first = str(channels[0].pk) if channels else ""
    newest = max(workflows, key=lambda one: one.created_at, default=None)
    known = {str(one.pk) for one in channels}
    starting = {
        **STARTING,
        "channel": chosen if chosen in known else first,
        "workflow": str(newest.pk) if newest else "",
    }
    data: Any = request.POST if request.method == "POST" else starting
    return MessageForm(data, channels=channels, workflows=workflows, outcomes=OUTCOMES)


def _preview(form: MessageForm, channels: list[Channel], workflows: list[Workflow]) -> MessagePreview:
    channel = _chosen(channels, form.cleaned_data["channel"])
    workflow = next((one for one in workflows if str(one.pk) == form.cleaned_data["workflow"]), None)
    return preview_message(
        kind=channel.type if channel else "discord",
        notification=form.notification,
        outcome=form.cleaned_data["outcome"],
        workflow=workflow,
    )


def _chosen(channels: list[Channel], channel_id: str | None) -> Channel | None:
    return next((one for one in channels if str(one.pk) == channel_id), None)


def _example(form: MessageForm) -> str:
    """The notification as a definition holds it, to be copied."""
    outcome = form.cleaned_data["outcome"]
    told = {"channel": form.cleaned_data["channel"], **ON.get(outcome, {"on": [outcome]}), **form.notification}
    return json.dumps(told, indent=2, ensure_ascii=False)
