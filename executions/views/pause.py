"""Stopping everything, a workflow or a signer, and letting it go on. Each stop says what may still land."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.models import Role
from accounts.pages import PageRequest, reason, telling
from accounts.permissions import page
from executions.figures import short
from executions.pauses import installation_pause, installation_resume, may_still_land
from workflows.selectors import signer_get, workflow_get
from workflows.services import signer_pause, signer_resume, workflow_pause, workflow_resume

SIGNATURES_NAMED = 5


@require_POST
@page(Role.OPERATOR)
def pause_all(request: PageRequest) -> HttpResponse:
    """Stop all signing. When this answers, nothing more is signed and nothing is sent for the first time."""
    with telling(request):
        landing = installation_pause(actor=request.actor, reason=reason(request))
        messages.success(request, said("All signing is paused.", landing))
    return redirect("overview")


@require_POST
@page(Role.OPERATOR)
def resume_all(request: PageRequest) -> HttpResponse:
    """Lift the pause; what waited runs."""
    with telling(request, "Signing goes on."):
        installation_resume(actor=request.actor)
    return redirect("overview")


@require_POST
@page(Role.OPERATOR)
def pause_workflow(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """When this answers, nothing more is signed for the workflow."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    with telling(request):
        workflow_pause(actor=request.actor, workflow=workflow, reason=reason(request))
        messages.success(request, said(f"{workflow.name} is paused.", may_still_land(workflow=workflow)))
    return redirect("workflows:detail", workflow_id)


@require_POST
@page(Role.OPERATOR)
def resume_workflow(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """Lift the pause; what waited runs."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    with telling(request, f"{workflow.name} goes on."):
        workflow_resume(actor=request.actor, workflow=workflow)
    return redirect("workflows:detail", workflow_id)


@require_POST
@page(Role.OPERATOR)
def pause_signer(request: PageRequest, signer_id: UUID) -> HttpResponse:
    """When this answers, nothing more is signed with it."""
    signer = signer_get(team=request.actor.team, signer_id=signer_id)
    with telling(request):
        signer_pause(actor=request.actor, signer=signer, reason=reason(request))
        messages.success(request, said(f"{signer.name} is paused.", may_still_land(signer=signer)))
    return redirect("signers:detail", signer_id)


@require_POST
@page(Role.OPERATOR)
def resume_signer(request: PageRequest, signer_id: UUID) -> HttpResponse:
    """It signs again; what waited for it runs."""
    signer = signer_get(team=request.actor.team, signer_id=signer_id)
    with telling(request, f"{signer.name} signs again."):
        signer_resume(actor=request.actor, signer=signer)
    return redirect("signers:detail", signer_id)


def said(stopped: str, landing: Sequence[str]) -> str:
    """What was stopped, and which transactions (by signature) cannot be called back any more."""
    if not landing:
        return f"{stopped} Nothing is on its way."
    some = "1 transaction was" if len(landing) == 1 else f"{len(landing)} transactions were"
    named = ", ".join(short(signature) for signature in landing[:SIGNATURES_NAMED])
    rest = len(landing) - SIGNATURES_NAMED
    return f"{stopped} {some} sent before and may still land: {named}{f' and {rest} more' if rest > 0 else ''}."
