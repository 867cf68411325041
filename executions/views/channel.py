"""Testing a channel."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from executions.notify import channel_test
from workflows.selectors import channel_get


@require_POST
@page(Role.OPERATOR)
def test(request: PageRequest, channel_id: UUID) -> HttpResponse:
    """Send a test message; the list shows what comes of it."""
    channel = channel_get(team=request.actor.team, channel_id=channel_id)
    with telling(request, f"A test message is on its way to {channel.name}."):
        channel_test(actor=request.actor, channel=channel)
    return redirect("channels:list")
