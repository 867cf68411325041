"""The page of messages: what went out, what did not, and sending that again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.keyset import BadCursor, older_page
from accounts.models import Role, Team
from accounts.pages import PageRequest, telling, words
from accounts.permissions import page
from executions.filters import DeliveryFilter
from executions.models import Delivery
from executions.outbox import dead_count, delivery_get, delivery_list, executions_of
from executions.resends import MOST_AT_ONCE, deliveries_resend, delivery_resend
from workflows.selectors import channel_get, channel_list

PAGE_SIZE = 50


@require_safe
@page()
def index(request: PageRequest) -> HttpResponse:
    """The team's messages, newest first."""
    team = request.actor.team
    filters = words(request, "status", "channel")
    try:
        rows, next_cursor = older_page(
            _narrowed(team, filters), request.GET.get("before"), size=PAGE_SIZE, keys=("id",)
        )
    except BadCursor:
        rows, next_cursor = [], None
    channels = list(channel_list(team=team).order_by("name").only("id", "name", "type"))
    context = {
        "deliveries": rows,
        "executions": executions_of(rows),
        "next_cursor": next_cursor,
        "filters": filters,
        "older": "before" in request.GET,
        "channels": channels,
        "channel": next((one for one in channels if str(one.pk) == filters["channel"]), None),
        "dead": dead_count(team=team, at_most=MOST_AT_ONCE),
        "most": MOST_AT_ONCE,
    }
    return render(request, "notifications/list.html", context)


@require_POST
@page(Role.OPERATOR)
def resend(request: PageRequest, delivery_id: int) -> HttpResponse:
    """Send a dead letter again."""
    delivery = delivery_get(team=request.actor.team, delivery_id=delivery_id)
    with telling(request, f"The message is on its way to {delivery.channel.name} again."):
        delivery_resend(actor=request.actor, delivery=delivery)
    return redirect(_back(request))


@require_POST
@page(Role.OPERATOR)
def resend_all(request: PageRequest) -> HttpResponse:
    """Send all dead letters again, or those of one channel."""
    wanted = request.POST.get("choice", "")
    channel = channel_get(team=request.actor.team, channel_id=_uuid(wanted)) if wanted else None
    with telling(request):
        resent = deliveries_resend(actor=request.actor, channel=channel)
        messages.success(request, f"{resent} message{' is' if resent == 1 else 's are'} on the way again.")
    return redirect(_back(request))


def _narrowed(team: Team, filters: dict[str, Any]) -> QuerySet[Delivery]:
    """The list as filtered; nothing for a filter that makes no sense."""
    narrowing = DeliveryFilter(filters, queryset=delivery_list(team=team))
    rows: QuerySet[Delivery] = narrowing.qs if narrowing.is_valid() else delivery_list(team=team).none()
    return rows


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _back(request: PageRequest) -> str:
    """The list as it was narrowed when the button was pressed."""
    here = request.META.get("HTTP_REFERER", "")
    return here if url_has_allowed_host_and_scheme(here, {request.get_host()}) else reverse("notifications:list")
