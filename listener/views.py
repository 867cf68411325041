"""The page of the endpoints: how they do, what they were asked, what is watched through them, what was missed."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest
from accounts.permissions import page
from executions import rpc_figures
from listener.selectors import gap_list, listeners, subscription_list, told_endpoints, told_sockets

LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(hours=24)}
# More are in the API.
ROWS_SHOWN = 50


@require_safe
@page()
def endpoints(request: PageRequest) -> HttpResponse:
    """Everything by host only: paths and queries of endpoints are keys."""
    team, chosen = request.actor.team, request.GET.get("range", "")
    chosen = chosen if chosen in LENGTHS else "day"
    since = rpc_figures.beginning(LENGTHS[chosen])
    methods = rpc_figures.by_method(since=since)
    alive = listeners()
    known = told_endpoints(alive)
    subscriptions = list(subscription_list(team=team)[: ROWS_SHOWN + 1])
    gaps = list(gap_list(team=team)[: ROWS_SHOWN + 1])
    context = {
        "chosen": chosen,
        "since": since,
        "all": rpc_figures.together(methods),
        "methods": methods,
        "figures": rpc_figures.by_endpoint(methods, {endpoint["host"] for endpoint in known}),
        "names_endpoints": len({one.endpoint for one in methods}) > 1,
        "listeners": alive,
        "endpoints": known,
        "sockets": told_sockets(alive),
        "subscriptions": subscriptions[:ROWS_SHOWN],
        "more_subscriptions": len(subscriptions) > ROWS_SHOWN,
        "gaps": gaps[:ROWS_SHOWN],
        "more_gaps": len(gaps) > ROWS_SHOWN,
    }
    return render(request, "endpoints/list.html", context)
