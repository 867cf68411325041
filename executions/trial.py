"""Building and judging a payment that nobody makes: what a worker would find, in its order.

Nothing is signed, sent, reserved or stored, and no key is needed, so the web process can do all of it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from accounts.selectors import installation
from chain.errors import ChainError
from chain.events import Event
from executions import limits, reservations
from executions.balance_changes import BalanceChange
from executions.build import Order, Prepared, prepare
from executions.errors import ExecutionError, LimitExceeded
from executions.gateway import WrongChain, gateway
from executions.limit_checks import cut_log_refusal
from executions.states import Status
from executions.told_instructions import ToldInstruction, told_instructions
from workflows.checks import settings_of
from workflows.models import Workflow
from workflows.specs.limits import check_limits
from workflows.specs.workflow import WorkflowSpec


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something would not happen: a stable code and a sentence with the figures."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class PreviewedTransaction:
    """The simulated transaction. `outflow_*` is what would leave the signer, fee and rent included.
    One that would fail has no figures."""

    slot: int | None
    fee_lamports: int | None
    compute_units: int | None
    logs: list[str]
    outflow_lamports: int | None
    outflow_tokens: dict[str, int]
    recipients: list[str]
    programs: list[str]
    instructions: list[ToldInstruction] = field(default_factory=list)
    status: str = "simulated"
    changes: tuple[BalanceChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """What building and judging came to."""

    status: str = Status.SUCCESS.value
    transaction: PreviewedTransaction | None = None
    limits: tuple[Problem, ...] = ()
    needs_approval: bool = False
    error: Problem | None = None


def paused(workflow: Workflow, spec: WorkflowSpec) -> tuple[Problem, ...]:
    """Every pause for which the execution would wait now. Without a payment only the workflow's own holds it."""
    found = limits.pauses(installation(), workflow, workflow.signer)
    signs = bool(spec.actions) and not workflow.dry_run
    return tuple(Problem(one.code, one.detail) for one in found if signs or one.code == "workflow_paused")


def attempt(workflow: Workflow, spec: WorkflowSpec, event: Event, now: datetime) -> Tried:
    """What a worker would find, in its order: what is written out, the rate, then the simulation."""
    refused = _refused_early(workflow, spec, event)
    if not refused and limits.rate_used(workflow, now) >= workflow.max_executions_per_hour:
        detail = f"{workflow.max_executions_per_hour} executions in the last hour are the limit"
        return Tried(Status.THROTTLED.value, error=Problem("rate_limited", detail))
    if not spec.actions:
        return Tried()
    signer = workflow.signer
    if signer is None:
        missing = Problem("signer_missing", "the workflow has no signer")
        return Tried(Status.FAILED.value, limits=refused, error=(*refused, missing)[0])
    try:
        prepared = simulated(workflow, signer.address, spec, event, now)
    except (ExecutionError, WrongChain, ChainError) as error:
        return _unbuilt(error, refused)
    refusals = reservations.spent([workflow], [signer], now).refusals(workflow, signer, prepared)
    asks = workflow.approval_above_lamports is not None and (
        prepared.outflow.lamports > workflow.approval_above_lamports
    )
    tripped = (*refused, *(Problem(one.code, one.detail) for one in refusals))
    return Tried(
        Status.FAILED.value if tripped else Status.SUCCESS.value,
        _transaction(prepared),
        tripped,
        asks,
        tripped[0] if tripped else None,
    )


def _refused_early(workflow: Workflow, spec: WorkflowSpec, event: Event) -> tuple[Problem, ...]:
    """What would end it before it takes a unit of the rate."""
    if not spec.actions:
        return ()
    cut = cut_log_refusal(event.as_json())
    written_out = (Problem("limit_exceeded", one.detail) for one in check_limits(spec, settings_of(workflow)))
    return (*([Problem(cut.code, cut.detail)] if cut is not None else []), *written_out)


def simulated(workflow: Workflow, payer: str, spec: WorkflowSpec, event: Event, now: datetime) -> Prepared:
    """The transaction that the workflow would make of this event, built and simulated on the chain as it is now.

    Raises ExecutionError with the reason, WrongChain, ChainError.
    """
    made_up = secrets.token_hex(32)
    order = Order(
        signer_address=payer,
        actions=spec.actions,
        context={
            "event": event.as_json(),
            "workflow": {"id": str(workflow.id), "name": workflow.name},
            "execution": {"id": made_up, "created_at": now.isoformat()},
        },
        execution_id=made_up,
        attempt=1,
    )
    return prepare(gateway(), order)


def _unbuilt(error: Exception, refused: tuple[Problem, ...]) -> Tried:
    """The simulation of one that failed is shown as far as it went."""
    problem = Problem(getattr(error, "code", "unavailable"), str(error))
    simulation = getattr(error, "simulation", None)
    transaction = None
    if simulation is not None:
        transaction = PreviewedTransaction(
            slot=None,
            fee_lamports=None,
            compute_units=simulation.get("compute_units"),
            logs=list(simulation.get("logs") or ()),
            outflow_lamports=None,
            outflow_tokens={},
            recipients=[],
            programs=[],
            status="failed",
        )
    found = (*refused, problem) if isinstance(error, LimitExceeded) else refused
    return Tried(Status.FAILED.value, transaction, found, error=(*refused, problem)[0])


def _transaction(prepared: Prepared) -> PreviewedTransaction:
    simulation = prepared.simulation
    return PreviewedTransaction(
        slot=simulation.get("slot"),
        fee_lamports=simulation.get("fee_lamports"),
        compute_units=simulation.get("compute_units"),
        logs=list(simulation.get("logs") or ()),
        outflow_lamports=prepared.outflow.lamports,
        outflow_tokens=dict(prepared.outflow.tokens),
        recipients=sorted(set(prepared.recipients)),
        programs=sorted(set(prepared.programs)),
        instructions=told_instructions(prepared.message, prepared.keys, prepared.idls),
        changes=prepared.changes,
    )
