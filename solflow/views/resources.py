"""Signers and channels with what executions say of them."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest
from accounts.permissions import page
from executions.activity import last_deliveries, with_spending
from executions.balances import balances
from workflows.selectors import channel_list, channel_usage, signer_list


@require_safe
@page()
def signers(request: PageRequest) -> HttpResponse:
    """Every key with its balance, what it paid lately and how many workflows use it."""
    using = Count("workflows", filter=Q(workflows__deleted_at=None))
    rows = list(with_spending(signer_list(team=request.actor.team)).defer("sealed").annotate(workflow_count=using))
    context = {
        "signers": rows,
        "balances": balances().of([signer.address for signer in rows]),
    }
    return render(request, "signers/list.html", context)


@require_safe
@page()
def channels(request: PageRequest) -> HttpResponse:
    """Every channel with its newest message."""
    rows = list(channel_list(team=request.actor.team).defer("sealed", "sealed_key"))
    context = {
        "channels": rows,
        "usage": channel_usage(team=request.actor.team),
        "last_deliveries": last_deliveries(rows),
    }
    return render(request, "channels/list.html", context)
