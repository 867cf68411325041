"""The page of an execution, and what people make executions do: run, retry, replay."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import Refused
from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from executions import history
from executions.explorer import Explorer
from executions.models import Attempt, Delivery, Execution, Reservation
from executions.selectors import (
    execution_approval,
    execution_attempts,
    execution_deliveries,
    execution_get,
    execution_reservations,
    transaction_of,
)
from executions.services import execution_replay, execution_retry, execution_run, replay_refusal, retry_refusal
from executions.states import FINAL, MAY_LAND, Status, WaitingFor
from workflows.labels import labels_in
from workflows.selectors import workflow_get

SAME_VERSION = "same"


@require_safe
@page()
def execution_page(request: PageRequest, execution_id: str) -> HttpResponse:
    """One execution with everything that is known of it."""
    execution, attempts, deliveries, reservations = _read(request, execution_id)
    is_final = execution.status in FINAL
    may_run = request.actor.may(Role.OPERATOR)
    retry_refused, replay_refused = retry_refusal(execution, attempts), replay_refusal(execution.workflow)
    context = {
        "execution": execution,
        "labels": labels_in(team=request.actor.team, values=[execution.event, execution.version.definition]),
        "is_final": is_final,
        "is_parked": execution.waiting_for == WaitingFor.PERSON,
        "approval": execution_approval(execution) if execution.waiting_for == WaitingFor.APPROVAL else None,
        "may_run": may_run,
        "can_retry": may_run and retry_refused is None,
        "can_replay": may_run and is_final and replay_refused is None,
        "refusals": _refusals(execution, retry_refused, replay_refused) if may_run else [],
        "attempts": attempts,
        "open_attempt": next((one for one in reversed(attempts) if one.status in MAY_LAND), None),
        "reserved_lamports": sum(one.lamports for one in reservations if one.status == Reservation.Status.RESERVED),
        "transaction": transaction_of(execution, attempts),
        "explorer_url": _explorer_url(attempts),
        "deliveries": deliveries,
        "filter_trace": execution.filter_trace,
        "signer": reservations[-1].signer if reservations else None,
        "spent_lamports": _charged(reservations),
    }
    return render(request, "executions/detail.html", context)


def _read(
    request: PageRequest, execution_id: str
) -> tuple[Execution, list[Attempt], list[Delivery], list[Reservation]]:
    """The execution with all that belongs to it; from the replica, if it is over."""

    def load() -> tuple[Execution, list[Attempt], list[Delivery], list[Reservation]]:
        execution = execution_get(team=request.actor.team, execution_id=execution_id)
        return (
            execution,
            list(execution_attempts(execution)),
            list(execution_deliveries(execution).select_related("channel")),
            list(execution_reservations(execution)),
        )

    # A live page asks because something has just changed.
    if "HX-Request" in request.headers:
        return load()
    return history.read(load, is_over=lambda found: history.is_over(found[0]), user_id=request.user.pk)


@require_POST
@page(Role.OPERATOR)
def retry(request: PageRequest, execution_id: str) -> HttpResponse:
    """The same execution once more."""
    execution = execution_get(team=request.actor.team, execution_id=execution_id)
    with telling(request, "The execution runs again."):
        execution_retry(actor=request.actor, execution=execution)
    return redirect("executions:detail", execution_id)


@require_POST
@page(Role.OPERATOR)
def replay(request: PageRequest, execution_id: str) -> HttpResponse:
    """A new execution of the same event."""
    execution = execution_get(team=request.actor.team, execution_id=execution_id)
    started = execution_id
    use_current = request.POST.get("version") != SAME_VERSION
    with telling(request, "This is a new execution of the same event."):
        started = execution_replay(actor=request.actor, execution=execution, use_current=use_current)
    return redirect("executions:detail", started)


@require_POST
@page(Role.OPERATOR)
def run(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """Run a workflow now; what follows is the page of its execution."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    with telling(request):
        return redirect("executions:detail", execution_run(actor=request.actor, workflow=workflow, data={}))
    return redirect("workflows:detail", workflow_id)


def _refusals(execution: Execution, retry: Refused | None, replay: Refused | None) -> list[tuple[str, str]]:
    """Why what one would expect to do with it is not offered."""
    refused = []
    if retry is not None and execution.status in (Status.FAILED, Status.THROTTLED):
        refused.append(("A retry", retry.detail))
    if replay is not None and execution.status in FINAL:
        refused.append(("A replay", replay.detail))
    return refused


def _charged(reservations: list[Reservation]) -> int | None:
    """What the chain took for it; None while that is not known."""
    settled = [one.lamports for one in reservations if one.status == Reservation.Status.SETTLED]
    return sum(settled) if settled else None


def _explorer_url(attempts: list[Attempt]) -> str:
    """Where the newest transaction can be looked at; empty when there is none."""
    explorer = Explorer(settings.SOLANA_NETWORK, settings.SOLANA_RPC_URLS[0])
    return explorer.transaction(attempts[-1].signature) if attempts else ""
