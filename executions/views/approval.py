"""What a person answers to a payment above the workflow's threshold."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.errors import Invalid
from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from executions.approvals import execution_approve, execution_reject
from executions.selectors import execution_get

AGAIN = "Approved. It is built and simulated again, and signed if no more goes out."
ANOTHER = "Approved by you. It waits for another person."


@require_POST
@page(Role.OPERATOR)
def answer(request: PageRequest, execution_id: str) -> HttpResponse:
    """Yes or no, by the page's two buttons."""
    execution = execution_get(team=request.actor.team, execution_id=execution_id)
    with telling(request):
        match request.POST.get("choice"):
            case "approve":
                row = execution_approve(actor=request.actor, execution=execution)
                messages.success(request, AGAIN if row.waiting_for is None else ANOTHER)
            case "reject":
                execution_reject(actor=request.actor, execution=execution)
                messages.success(request, "Refused. Nothing was signed.")
            case _:
                raise Invalid("say whether it is approved or refused")
    return redirect("executions:detail", execution_id)
