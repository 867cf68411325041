"""Enabling, and moving a live trigger: a workflow begins with the state of the chain at one slot.

1. The baseline is read, before any transaction: the account of a state trigger (all that it chooses of a program's),
   the slot for the others.
2. In one transaction the state rows take it as ordinary samples (others who watch the account get their event), the
   workflow is written with the slot, and the generation of each of its subscriptions grows.

The generation grows last: ingest locks in the order state rows, workflows, subscriptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Coalesce

from accounts.actors import Actor
from accounts.errors import NotNow, Refused
from chain.decode.idl.names import choices
from chain.errors import ChainError
from chain.types import COMMITMENTS, AccountSample, Commitment
from executions.gateway import Gateway, WrongChain, gateway
from listener import gaps, idls, programs
from listener.ingest import record
from listener.loading import ensure_rows, load_audience
from listener.models import AccountState, Gap, Subscription
from listener.registry import Audience
from listener.sampling import for_watch
from listener.watches import STATE_KINDS, Watch, watches_of
from workflows.errors import invalid
from workflows.models import Workflow
from workflows.services import workflow as workflows
from workflows.specs.errors import SpecError, SpecErrors
from workflows.specs.triggers import ProgramLog
from workflows.specs.workflow import WorkflowSpec, parse

# A listener that sees a subscription moves its checkpoint every few seconds, to 32 slots behind the chain.
MOST_BEHIND_SLOTS = 150


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a watch begins with: the slot, and for a state trigger its accounts as of that slot."""

    watch: Watch
    slot: int
    accounts: Mapping[str, AccountSample]


def workflow_enable(*, actor: Actor, workflow: Workflow) -> Workflow:
    """From now on events run it; what happened up to the slot that is read here never does.

    Raises:
        NotNow: no endpoint answers; nothing was changed.
        Refused: it has actions and no signer; the endpoints belong to another chain; it was changed meanwhile; a
            program has more accounts than can be watched.
        Invalid: a trigger or an action that nobody serves yet; an event that its IDL has not.
    """
    spec = workflows.workflow_check_enabling(workflow=workflow)
    _check_event(spec)

    def write(slot: int | None) -> Workflow:
        return workflows.workflow_enable(actor=actor, workflow=workflow, enabled_at_slot=slot or 0)

    return _begin(_interest(spec, workflow.commitment), write)


def workflow_update(*, actor: Actor, workflow: Workflow, changes: Mapping[str, Any]) -> Workflow:
    """Change a workflow, as workflows.services does. Where it is enabled and its trigger watches something else then,
    it begins afresh with that: the baseline is read, and what happened before never matches.

    Raises:
        NotNow, Refused: as for workflow_enable; what workflows.services.workflow_update raises.
    """
    definition = changes.get("definition", _definition(workflow))
    commitment = changes.get("commitment", workflow.commitment)

    def write(slot: int | None) -> Workflow:
        return workflows.workflow_update(actor=actor, workflow=workflow, changes=changes, enabled_at_slot=slot)

    return _change(workflow, definition, commitment, write)


def workflow_publish(*, actor: Actor, workflow: Workflow) -> Workflow:
    """Make the draft the definition, as an update would.

    Raises:
        NotNow, Refused: as for workflow_enable; what workflows.services.workflow_publish raises.
    """

    def write(slot: int | None) -> Workflow:
        return workflows.workflow_publish(actor=actor, workflow=workflow, enabled_at_slot=slot)

    return _change(workflow, workflow.draft, workflow.commitment, write)


def _change(workflow: Workflow, definition: Any, commitment: Any, write: Callable[[int | None], Workflow]) -> Workflow:
    before = _interest(_spec(_definition(workflow)), workflow.commitment)
    spec = _spec(definition)
    # A commitment that is none is told by whoever writes it, not by an endpoint.
    after = _interest(spec, commitment if commitment in COMMITMENTS else workflow.commitment)
    if not workflow.enabled:
        return _begin(None, write, otherwise=before)
    _check_event(spec)
    if after == before:
        return _begin(None, write, otherwise=before)
    return _begin(after, write)


def _begin(
    interest: Interest | None, write: Callable[[int | None], Workflow], otherwise: Interest | None = None
) -> Workflow:
    """`write` the workflow with the baseline of its watches; with none, only if it watches as `otherwise` or nothing
    then."""
    baselines = _read(interest.watches) if interest is not None else []
    with transaction.atomic():
        # In the order of their ids, which is the one in which ingest locks them.
        moved = sorted((_move(baseline) for baseline in baselines), key=lambda one: one[0].pk)
        slot = max((slot for _, slot in moved), default=None)
        workflow = write(slot)
        watches = _interest(_spec(_definition(workflow)), workflow.commitment)
        if workflow.enabled and watches not in (None, interest or otherwise):
            raise Refused("the workflow was changed by somebody else meanwhile; try again", code="changed_meanwhile")
        for subscription, _ in moved:
            _announce(subscription, slot or 0)
    return workflow


def _read(watches: Sequence[Watch]) -> list[Baseline]:
    try:
        chain = gateway()
        chain.genesis_hash()
        return [_baseline(chain, watch) for watch in watches]
    except ChainError as error:
        raise NotNow(f"no Solana endpoint answers, so there is nothing to begin with: {error}") from error
    except WrongChain as error:
        raise Refused(str(error), code="wrong_chain") from error
    except programs.TooManyAccounts as error:
        raise Refused(str(error), code="too_many_accounts") from error


def _baseline(chain: Gateway, watch: Watch) -> Baseline:
    if not watch.is_state:
        return Baseline(watch, chain.rpc.slot(watch.commitment), {})
    if watch.kind == "program":
        slot, accounts = programs.read(chain.rpc, watch)
        return Baseline(watch, slot, accounts)
    read = chain.rpc.account(watch.address, commitment=watch.commitment)
    sample = for_watch(watch, read.slot, read.lamports, read.owner, read.data or b"")
    return Baseline(watch, read.slot, {watch.address: sample})


def _move(baseline: Baseline) -> tuple[Subscription, int]:
    """Put the baseline into the state rows. The slot is that of the newest row, where somebody else has moved one
    further already."""
    watch = baseline.watch
    ensure_rows([watch])
    subscription = Subscription.objects.get(digest=watch.digest)
    if not watch.is_state:
        return subscription, baseline.slot
    audience = load_audience(Audience(subscription.pk, subscription.generation, watch, ()))
    samples = programs.samples(
        subscription.pk, baseline.slot, baseline.accounts, catch_up=_is_blind(subscription, baseline.slot)
    )
    record(samples, {subscription.pk: audience}.get)
    newest = AccountState.objects.filter(subscription=subscription).aggregate(slot=Max("slot"))["slot"]
    return subscription, max(newest or 0, baseline.slot)


def _is_blind(subscription: Subscription, slot: int) -> bool:
    """Whether what happened until `slot` is still to be read back: for the others the baseline sums it up then."""
    checkpoint = subscription.checkpoint_slot
    is_behind = checkpoint is not None and slot - checkpoint > MOST_BEHIND_SLOTS
    return is_behind or Gap.objects.filter(subscription=subscription, status=Gap.Status.OPEN).exists()


def _announce(subscription: Subscription, slot: int) -> None:
    """A newcomer: ingest must not match without it, and what transactions did since `slot` is still to be read."""
    Subscription.objects.filter(pk=subscription.pk).update(
        generation=F("generation") + 1, checkpoint_slot=Coalesce("checkpoint_slot", slot)
    )
    if subscription.kind not in STATE_KINDS:
        gaps.enabling_gap(subscription=subscription, slot=slot)


@dataclass(frozen=True, slots=True)
class Interest:
    """What a live workflow asks of the listener. One that asks for something else begins afresh, on the same watches
    too: what nobody needed may not have been fetched until then."""

    watches: tuple[Watch, ...]
    trigger_type: str
    event: str | None


def _interest(spec: WorkflowSpec | None, commitment: str) -> Interest | None:
    watches = () if spec is None else watches_of(spec.trigger, cast(Commitment, commitment))
    if spec is None or not watches:
        return None
    return Interest(watches, spec.trigger.type, getattr(spec.trigger, "event", None))


def _check_event(spec: WorkflowSpec | None) -> None:
    """Raises Invalid for a program_log by an event that could never come: not of its IDL, not of its program."""
    trigger = spec.trigger if spec is not None else None
    if not isinstance(trigger, ProgramLog) or trigger.idl is None or trigger.event is None:
        return
    emitter = idls.load([trigger.idl]).get(trigger.idl)
    if emitter is None or emitter.idl.program_id != trigger.program_id:
        detail = "trigger.idl cannot be read, or is the IDL of another program."
        raise invalid([SpecError("definition.trigger.idl", "not_an_idl", detail)])
    if emitter.event_named(trigger.event) is None:
        known = choices(layout.name for layout in emitter.idl.events)
        detail = f"trigger.event: the IDL has no event {trigger.event}. Known: {known}."
        raise invalid([SpecError("definition.trigger.event", "unknown_event", detail)])


def _spec(definition: Any) -> WorkflowSpec | None:
    """None for what cannot be read: whoever writes it says what is wrong with it."""
    try:
        return parse(definition)
    except (SpecErrors, TypeError):
        return None


def _definition(workflow: Workflow) -> Any:
    return None if workflow.version is None else workflow.version.definition
