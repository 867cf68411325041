"""Reads of executions, in the API's shape; a constant number of queries however many rows are shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from accounts.errors import Missing
from accounts.models import Team
from executions.models import Approval, Attempt, Delivery, Execution, ExecutionKey, Reservation
from workflows.models import Signer


def execution_list(*, team: Team) -> QuerySet[Execution]:
    """The team's executions, newest first."""
    return Execution.objects.filter(team=team).select_related("version").order_by("-created_at", "-id")


def execution_get(*, team: Team, execution_id: str) -> Execution:
    """One execution of the team.

    Raises:
        Missing: there is none, or it is another team's.
    """
    # By the key's index: executions have no index of their own on the long id.
    key = ExecutionKey.objects.filter(execution_id=execution_id).values("id")
    found = Execution.objects.select_related("version", "workflow").filter(team=team, id__in=key).first()
    if found is None:
        raise Missing("there is no such execution", code="not_found")
    return found


def executions_named(*, team: Team, execution_ids: Sequence[str]) -> QuerySet[Execution]:
    """Those of the team with these ids, newest first; ids that the team does not have are left out."""
    keys = ExecutionKey.objects.filter(execution_id__in=execution_ids).values("id")
    rows = Execution.objects.filter(team=team, id__in=keys).order_by("-created_at", "-id")
    return rows.defer("steps", "simulation", "filter_trace")


def execution_rows(executions: Sequence[Execution]) -> list[dict[str, Any]]:
    """Executions as list rows: everything but event and steps."""
    ids = [execution.id for execution in executions]
    attempts = _grouped(Attempt.objects.filter(execution_id__in=ids).defer("raw").order_by("number"))
    deliveries = _grouped(Delivery.objects.filter(execution_id__in=ids).order_by("id"))
    return [_row(one, attempts[one.id], deliveries[one.id]) for one in executions]


def execution_detail(execution: Execution) -> dict[str, Any]:
    """One execution with its event, steps, filter trace and attempts."""
    attempts = list(execution_attempts(execution))
    deliveries = list(execution_deliveries(execution))
    return {
        **_row(execution, attempts, deliveries),
        "event": execution.event,
        "steps": execution.steps,
        "filter_trace": execution.filter_trace,
        "simulation": execution.simulation,
        "approval": execution_approval(execution),
        "attempts": [_attempt(attempt) for attempt in attempts],
    }


def execution_approval(execution: Execution) -> dict[str, Any] | None:
    """What a person was asked about it last, and the answer; None if nobody was."""
    asked = Approval.objects.filter(execution_id=execution.id).order_by("-id").first()
    if asked is None:
        return None
    return {
        "status": asked.status,
        "lamports": asked.lamports,
        "tokens": asked.tokens,
        "asked_at": asked.asked_at,
        "expires_at": asked.expires_at,
        "needed": asked.needed,
        "approved_by": asked.approved_by,
        "answered_by": asked.answered_by,
        "answered_at": asked.answered_at,
    }


def execution_attempts(execution: Execution) -> QuerySet[Attempt]:
    """Everything that was signed for it, oldest first."""
    return Attempt.objects.filter(execution_id=execution.id).defer("raw").order_by("number")


def execution_deliveries(execution: Execution) -> QuerySet[Delivery]:
    """Its messages, oldest first."""
    return Delivery.objects.filter(execution_id=execution.id).order_by("id")


def execution_reservations(execution: Execution) -> QuerySet[Reservation]:
    """What was set aside for it or charged, with the signer; the newest last."""
    return Reservation.objects.filter(execution_id=execution.id).select_related("signer").order_by("id")


class Payment(NamedTuple):
    """What an execution reserved or paid out of a signer; without the row where its execution is no longer kept."""

    reservation: Reservation
    execution: Execution | None
    attempt: Attempt | None


def signer_payments(*, signer: Signer, at_most: int) -> list[Payment]:
    """The newest first: what is reserved, and what the chain charged. Three queries."""
    rows = Reservation.objects.filter(signer=signer).exclude(status=Reservation.Status.RELEASED).order_by("-at")
    reservations = list(rows[:at_most])
    ids = [row.execution_id for row in reservations]
    known = Execution.objects.filter(id__in=ids).select_related("workflow")
    executions = {
        row.id: row for row in known.only("id", "execution_id", "status", "waiting_for", "dry_run", "workflow__name")
    }
    attempts = last_attempts(list(executions.values()))
    return [Payment(row, executions.get(row.execution_id), attempts.get(row.execution_id)) for row in reservations]


def last_attempts(executions: Sequence[Execution]) -> dict[int, Attempt]:
    """The newest attempt of each, by the execution's id; those that signed nothing are left out."""
    ids = [execution.id for execution in executions]
    return {
        attempt.execution_id: attempt
        for attempt in Attempt.objects.filter(execution_id__in=ids).defer("raw", "logs").order_by("number")
    }


def _row(execution: Execution, attempts: Sequence[Attempt], deliveries: Sequence[Delivery]) -> dict[str, Any]:
    return {
        "execution_id": execution.execution_id,
        "workflow": str(execution.workflow_id),
        "workflow_version": execution.version.number,
        "status": execution.status,
        "waiting_for": execution.waiting_for,
        "dry_run": execution.dry_run,
        "trigger": execution.trigger,
        "transaction": transaction_of(execution, attempts),
        "notifications": [_delivery(delivery) for delivery in deliveries],
        "error": {"code": execution.error_code, "detail": execution.error_detail} if execution.error_code else None,
        "replay_of": execution.replay_of,
        "created_at": moment(execution.created_at),
        "completed_at": moment(execution.completed_at),
    }


def transaction_of(execution: Execution, attempts: Sequence[Attempt]) -> dict[str, Any] | None:
    """The newest attempt; of an execution that was only simulated, the simulation."""
    if attempts:
        last = attempts[-1]
        simulated = execution.simulation or {}
        return {
            "signature": last.signature,
            "status": last.status,
            "slot": last.slot,
            "fee_lamports": last.fee_lamports,
            "compute_units": last.compute_units if last.compute_units is not None else simulated.get("compute_units"),
            "logs": last.logs,
            "attempts": len(attempts),
        }
    if execution.simulation is None:
        return None
    return {
        "signature": None,
        "status": "simulated",
        "slot": execution.simulation.get("slot"),
        "fee_lamports": execution.simulation.get("fee_lamports"),
        "compute_units": execution.simulation.get("compute_units"),
        "logs": execution.simulation.get("logs"),
        "attempts": 0,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "signature": attempt.signature,
        "status": attempt.status,
        "blockhash": attempt.blockhash,
        "last_valid_block_height": attempt.last_valid_block_height,
        "slot": attempt.slot,
        "fee_lamports": attempt.fee_lamports,
        "compute_units": attempt.compute_units,
        "error": attempt.error,
        "sends": attempt.sends,
        "signed_at": moment(attempt.signed_at),
        "last_sent_at": moment(attempt.last_sent_at),
        "confirmed_at": moment(attempt.confirmed_at),
        "finalized_at": moment(attempt.finalized_at),
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "channel": str(delivery.channel_id),
        "status": delivery.status,
        "outcome": delivery.outcome,
        "attempts": delivery.attempts,
        "delivered_at": moment(delivery.delivered_at),
        "maybe_repeated": delivery.maybe_repeated,
        "error": delivery.error or None,
    }


def moment(at: datetime | None) -> str | None:
    """A time as the API writes it."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _grouped(rows: QuerySet[Any]) -> dict[int, list[Any]]:
    grouped: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row.execution_id].append(row)
    return grouped
