"""The address and the secret of a webhook trigger."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from workflows.models import WebhookSecret, Workflow
from workflows.selectors import webhook_secrets_valid, workflow_get
from workflows.services import webhook_secret_make


@dataclass(frozen=True, slots=True)
class WebhookDoor:
    """What the page of a workflow says about its webhook: where to post to, and what proves a sender."""

    url: str
    auth: str
    current: WebhookSecret | None
    older: list[WebhookSecret]


def webhook_of(request: PageRequest, workflow: Workflow) -> WebhookDoor | None:
    """None for a workflow that no webhook starts."""
    if workflow.trigger_type != "webhook" or workflow.version is None:
        return None
    auth = workflow.version.definition["trigger"]["auth"]
    rows = list(webhook_secrets_valid(workflow=workflow, auth=auth).defer("locked", "digest"))
    current = next((row for row in rows if row.expires_at is None), None)
    return WebhookDoor(_url(request, workflow.pk), auth, current, [row for row in rows if row is not current])


@require_POST
@never_cache
@page(Role.ADMIN)
def make(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """A new secret, shown on the page that answers and nowhere else: not in the session, not after a redirect."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    keep_old = request.POST.get("end_old") != "on"
    with telling(request):
        made = webhook_secret_make(actor=request.actor, workflow=workflow, keep_old=keep_old)
        context = {"workflow": workflow, "made": made, "url": _url(request, workflow_id)}
        return render(request, "workflows/webhook_secret.html", context)
    return redirect("workflows:detail", workflow_id)


def _url(request: PageRequest, workflow_id: UUID) -> str:
    return request.build_absolute_uri(reverse("hook", args=[workflow_id]))
