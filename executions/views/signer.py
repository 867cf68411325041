"""The page of a signer."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.errors import Missing
from accounts.pages import PageRequest
from accounts.permissions import page
from executions.activity import with_spending
from executions.balances import balances
from executions.explorer import Explorer
from executions.selectors import signer_payments
from workflows.selectors import signer_list, workflow_list

PAYMENTS_SHOWN = 20


@require_safe
@page()
def detail(request: PageRequest, signer_id: UUID) -> HttpResponse:
    """What it has, what it paid and for whom, and whether it may."""
    team = request.actor.team
    signer = with_spending(signer_list(team=team).filter(pk=signer_id)).defer("sealed").first()
    if signer is None:
        raise Missing("there is no such signer")
    context = {
        "signer": signer,
        "balance": balances().of([signer.address])[signer.address],
        "explorer_url": Explorer(settings.SOLANA_NETWORK, settings.SOLANA_RPC_URLS[0]).address(signer.address),
        "workflows": list(workflow_list(team=team).filter(signer=signer).select_related(None).defer("draft")),
        "payments": signer_payments(signer=signer, at_most=PAYMENTS_SHOWN),
    }
    return render(request, "signers/detail.html", context)
