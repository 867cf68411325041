"""What an operator says of a parked execution."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.errors import Invalid
from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from executions.resolutions import Claim, execution_resolve
from executions.selectors import execution_get

# What the page's three buttons mean, and what is said when it is done.
CHOICES = {
    "landed": (Claim.LANDED, False, "Recorded: the transaction has landed."),
    "sign_again": (Claim.NOT_LANDED, True, "A new transaction will be signed, within the limits."),
    "give_up": (Claim.NOT_LANDED, False, "Given up. What was reserved for it is free again."),
}


@require_POST
@page(Role.OPERATOR)
def resolve(request: PageRequest, execution_id: str) -> HttpResponse:
    """Take the operator's word, unless the chain knows better; the page then shows what came of it."""
    execution = execution_get(team=request.actor.team, execution_id=execution_id)
    with telling(request):
        if request.POST.get("choice") not in CHOICES:
            raise Invalid("say whether it landed, is signed again or is given up")
        claim, sign_again, done = CHOICES[request.POST["choice"]]
        execution_resolve(actor=request.actor, execution=execution, claim=claim, sign_again=sign_again)
        messages.success(request, done)
    return redirect("executions:detail", execution_id)
