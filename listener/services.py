"""Enabling, and moving a live trigger: a workflow begins with the state of the chain at one slot.

1. The baseline is read, before any transaction: the account of a state trigger, the slot for the others.
2. In one transaction the state row takes it as an ordinary sample (others who watch the account get their event), the
   workflow is written with the slot, and the subscription's generation grows.

The generation grows last: ingest locks in the order state rows, workflows, subscriptions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from accounts.actors import Actor
from accounts.errors import NotNow, Refused
from chain.errors import ChainError
from chain.types import COMMITMENTS, AccountSample, Commitment
from executions.gateway import Gateway, WrongChain, gateway
from listener import gaps
from listener.ingest import record
from listener.loading import ensure_rows, load_audience
from listener.models import AccountState, Subscription
from listener.observations import Sample
from listener.registry import Audience
from listener.sampling import for_watch
from listener.watches import Watch, watch_of
from workflows.models import Workflow
from workflows.services import workflow as workflows
from workflows.specs.errors import SpecErrors
from workflows.specs.workflow import WorkflowSpec, parse


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a watch begins with: the slot, and for a state trigger the account as of that slot."""

    watch: Watch
    slot: int
    sample: AccountSample | None


def workflow_enable(*, actor: Actor, workflow: Workflow) -> Workflow:
    """From now on events run it; what happened up to the slot that is read here never does.

    Raises:
        NotNow: no endpoint answers; nothing was changed.
        Refused: it has actions and no signer; the endpoints belong to another chain; it was changed meanwhile.
        Invalid: a trigger or an action that nobody serves yet.
    """
    spec = workflows.workflow_check_enabling(workflow=workflow)

    def write(slot: int | None) -> Workflow:
        return workflows.workflow_enable(actor=actor, workflow=workflow, enabled_at_slot=slot or 0)

    return _begin(_watch(spec, workflow.commitment), write)


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
    before = _watch(_spec(_definition(workflow)), workflow.commitment)
    # A commitment that is none is told by whoever writes it, not by an endpoint.
    after = _watch(_spec(definition), commitment if commitment in COMMITMENTS else workflow.commitment)
    if not workflow.enabled or after == before:
        return _begin(None, write, otherwise=before)
    return _begin(after, write)


def _begin(watch: Watch | None, write: Callable[[int | None], Workflow], otherwise: Watch | None = None) -> Workflow:
    """`write` the workflow with the baseline of `watch`; with none, only if it watches `otherwise` or nothing then."""
    baseline = _read(watch) if watch is not None else None
    with transaction.atomic():
        subscription, slot = _move(baseline) if baseline is not None else (None, None)
        workflow = write(slot)
        watches = _watch(_spec(_definition(workflow)), workflow.commitment)
        if workflow.enabled and watches not in (None, watch or otherwise):
            raise Refused("the workflow was changed by somebody else meanwhile; try again", code="changed_meanwhile")
        if subscription is not None and slot is not None:
            _announce(subscription, slot)
    return workflow


def _read(watch: Watch) -> Baseline:
    try:
        chain = gateway()
        chain.genesis_hash()
        return _baseline(chain, watch)
    except ChainError as error:
        raise NotNow(f"no Solana endpoint answers, so there is nothing to begin with: {error}") from error
    except WrongChain as error:
        raise Refused(str(error), code="wrong_chain") from error


def _baseline(chain: Gateway, watch: Watch) -> Baseline:
    if not watch.is_state:
        return Baseline(watch, chain.rpc.slot(watch.commitment), None)
    read = chain.rpc.account(watch.address, commitment=watch.commitment)
    return Baseline(watch, read.slot, for_watch(watch, read.slot, read.lamports, read.owner, read.data or b""))


def _move(baseline: Baseline) -> tuple[Subscription, int]:
    """Put the baseline into the state row. The slot is the row's, where somebody else has moved it further already."""
    watch = baseline.watch
    ensure_rows([watch])
    subscription = Subscription.objects.get(digest=watch.digest)
    if baseline.sample is None:
        return subscription, baseline.slot
    audience = load_audience(Audience(subscription.pk, subscription.generation, watch, ()))
    sample = Sample(subscription.pk, watch.address, baseline.sample, time.time(), live=False)
    record([sample], {subscription.pk: audience}.get)
    row = AccountState.objects.get(subscription=subscription, address=watch.address)
    return subscription, max(row.slot, baseline.slot)


def _announce(subscription: Subscription, slot: int) -> None:
    """A newcomer: ingest must not match without it, and what transactions did since `slot` is still to be read."""
    Subscription.objects.filter(pk=subscription.pk).update(
        generation=F("generation") + 1, checkpoint_slot=Coalesce("checkpoint_slot", slot)
    )
    if subscription.kind == "logs":
        gaps.enabling_gap(subscription=subscription, slot=slot)


def _watch(spec: WorkflowSpec | None, commitment: str) -> Watch | None:
    return None if spec is None else watch_of(spec.trigger.type, spec.trigger, cast(Commitment, commitment))


def _spec(definition: Any) -> WorkflowSpec | None:
    """None for what cannot be read: whoever writes it says what is wrong with it."""
    try:
        return parse(definition)
    except (SpecErrors, TypeError):
        return None


def _definition(workflow: Workflow) -> Any:
    return None if workflow.version is None else workflow.version.definition
