"""The page of a channel, and testing it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from executions.notify import channel_test
from executions.outbox import dead_count, delivery_list, executions_of
from executions.resends import MOST_AT_ONCE
from workflows.selectors import channel_get, workflows_naming

SHOWN = 10


@require_safe
@page()
def detail(request: PageRequest, channel_id: UUID) -> HttpResponse:
    """Where it sends to, how well, for whom, and its newest messages."""
    team = request.actor.team
    channel = channel_get(team=team, channel_id=channel_id)
    deliveries = list(delivery_list(team=team).filter(channel=channel)[:SHOWN])
    context = {
        "channel": channel,
        "workflows": list(workflows_naming(team=team, row_id=channel.pk).select_related(None).defer("draft")),
        "deliveries": deliveries,
        "executions": executions_of(deliveries),
        "dead": dead_count(team=team, channel=channel, at_most=MOST_AT_ONCE),
    }
    return render(request, "channels/detail.html", context)


@require_POST
@page(Role.OPERATOR)
def test(request: PageRequest, channel_id: UUID) -> HttpResponse:
    """Send a test message; the page shows what comes of it."""
    channel = channel_get(team=request.actor.team, channel_id=channel_id)
    with telling(request, f"A test message is on its way to {channel.name}."):
        channel_test(actor=request.actor, channel=channel)
    return redirect("channels:detail", channel_id)
