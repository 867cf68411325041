"""Enabled workflows out of the database, as the registry wants them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

import orjson
import structlog
from django.db import connection
from django.db.models import Q

from accounts.models import Installation
from chain.types import Commitment
from listener import idls
from listener.models import Subscription
from listener.program_events import Emitter
from listener.registry import Audience, Row, Wanted
from listener.watches import CHAIN_TRIGGERS, NAMED_BY, Watch, associated_accounts, watches_of
from workflows.models import Workflow, WorkflowVersion
from workflows.specs.errors import SpecErrors
from workflows.specs.workflow import parse

log = structlog.get_logger(__name__)

# Slots are compared with it by "after".
BEFORE_EVERYTHING = -1

_FIELDS = ("id", "team_id", "version_id", "enabled_at_slot", "dry_run", "commitment")
_INSERT = """
INSERT INTO listener_subscription
    (digest, kind, address, params, commitment, genesis_hash, checkpoint_signature, created_at, updated_at)
SELECT digest, kind, address, params, commitment, %s, '', now(), now()
FROM unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[], %s::text[]) AS g(digest, kind, address, params, commitment)
ORDER BY digest
ON CONFLICT (digest) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Enabled workflows and the rows of their watches by digest."""

    wanted: tuple[Wanted, ...]
    rows: Mapping[str, Row]


def load(known: Callable[[UUID], Wanted | None], scope: Collection[UUID] | None = None) -> Loaded:
    """The enabled workflows that the chain sets off, or those of `scope`; definitions are read only where they changed.

    Generations are read before the workflows: one that is enabled between the two reads leaves us with an older
    generation, which ingest notices, and never with a newer one that hides it.
    """
    rows = _rows()
    workflows = Workflow.objects.filter(enabled=True, trigger_type__in=CHAIN_TRIGGERS)
    if scope is not None:
        workflows = workflows.filter(pk__in=scope)
    wanted = tuple(_wanted(workflows.values(*_FIELDS), known))
    missing = {watch for w in wanted for watch in w.watches if watch.digest not in rows}
    if missing:
        ensure_rows(missing)
        digests = [watch.digest for watch in missing]
        # Generation 0 is older than any that an enabling leaves behind: ingest asks once more, see above.
        ids = Subscription.objects.filter(digest__in=digests).values_list("digest", "id")
        rows |= {digest: Row(subscription_id, 0) for digest, subscription_id in ids}
    return Loaded(wanted, rows)


def load_audience(audience: Audience) -> Audience:
    """Who wants this subscription now, from the database. For the ingest transaction, after its rows are locked."""
    generation = Subscription.objects.values_list("generation", flat=True).get(pk=audience.subscription_id)
    watch = audience.watch
    workflows = Workflow.objects.filter(_may_watch(watch), enabled=True, commitment=watch.commitment)
    known = {wanted.workflow_id: wanted for wanted in audience.wanted}
    wanted = tuple(w for w in _wanted(workflows.values(*_FIELDS), known.get) if watch in w.watches)
    return Audience(audience.subscription_id, generation, watch, wanted)


def _may_watch(watch: Watch) -> Q:
    """The workflows among which those of this watch are, and few others."""
    named = Q(pk__in=_waiting_at(watch)) if watch.kind == "logs" else Q(pk__in=())
    for trigger_type, key in NAMED_BY[watch.kind]:
        named |= Q(trigger_type=trigger_type, **{f"version__definition__trigger__{key}": watch.address})
    return named


def _waiting_at(watch: Watch) -> list[UUID]:
    """Workflows that wait for tokens at this address without naming it: it is a wallet's associated account."""
    trigger = "version__definition__trigger"
    waiting = Workflow.objects.filter(
        enabled=True, commitment=watch.commitment, trigger_type="token_receipt", **{f"{trigger}__has_key": "wallet"}
    )
    places = waiting.values_list("pk", f"{trigger}__wallet", f"{trigger}__mint")
    return [pk for pk, wallet, mint in places if wallet and watch.address in associated_accounts(wallet, mint)]


def load_again(workflow_ids: Collection[UUID]) -> list[Wanted]:
    """These workflows as they are now, those that are enabled."""
    workflows = Workflow.objects.filter(enabled=True, trigger_type__in=CHAIN_TRIGGERS, pk__in=workflow_ids)
    return list(_wanted(workflows.values(*_FIELDS), lambda _: None))


def wanted_for(workflow: Workflow, trigger: Any) -> Wanted:
    """The workflow as if it had been enabled with this trigger since before everything, whatever it is now: for trying
    it on the past. Nothing is stored, and no subscription is needed."""
    commitment = cast(Commitment, workflow.commitment)
    return Wanted(
        workflow.id,
        workflow.team_id,
        workflow.version_id or 0,
        BEFORE_EVERYTHING,
        workflow.dry_run,
        commitment,
        watches_of(trigger, commitment),
        trigger,
        _emitter_of(trigger, idls.load([trigger.idl] if getattr(trigger, "idl", None) else [])),
    )


def _emitter_of(trigger: Any, emitters: Mapping[str, Emitter | None]) -> Emitter | None:
    emitter = emitters.get(getattr(trigger, "idl", None) or "")
    if emitter is not None and emitter.idl.program_id != trigger.program_id:
        return None  # changed since the workflow was enabled: nothing that it names is emitted any more
    return emitter


def ensure_rows(watches: Iterable[Watch]) -> None:
    """Make the rows that are not there yet."""
    made = list(watches)
    genesis_hash = Installation.objects.values_list("genesis_hash", flat=True).get(pk=1)
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                genesis_hash,
                [watch.digest for watch in made],
                [watch.kind for watch in made],
                [watch.address for watch in made],
                [orjson.dumps(watch.params).decode() for watch in made],
                [watch.commitment for watch in made],
            ],
        )


def _rows() -> dict[str, Row]:
    found = Subscription.objects.values_list("digest", "id", "generation")
    return {digest: Row(subscription_id, generation) for digest, subscription_id, generation in found}


def _wanted(rows: Iterable[Mapping[str, Any]], known: Callable[[UUID], Wanted | None]) -> Iterable[Wanted]:
    found = list(rows)
    before = {row["id"]: wanted for row in found if (wanted := known(row["id"])) and _is_known(row, wanted)}
    triggers = _triggers(row["version_id"] for row in found if row["id"] not in before)
    named = [before[row["id"]].trigger if row["id"] in before else triggers.get(row["version_id"]) for row in found]
    emitters = idls.load(idl for trigger in named if (idl := getattr(trigger, "idl", None)))
    for row, trigger in zip(found, named, strict=True):
        if trigger is None:
            continue
        emitter = _emitter_of(trigger, emitters)
        if row["id"] in before:
            yield _as_now(before[row["id"]], row, emitter)
        elif watches := watches_of(trigger, row["commitment"]):
            yield Wanted(
                row["id"],
                row["team_id"],
                row["version_id"],
                row["enabled_at_slot"] or 0,
                row["dry_run"],
                row["commitment"],
                watches,
                trigger,
                emitter,
            )


def _is_known(row: Mapping[str, Any], before: Wanted) -> bool:
    return bool(row["version_id"] == before.version_id and row["commitment"] == before.commitment)


def _as_now(before: Wanted, row: Mapping[str, Any], emitter: Emitter | None) -> Wanted:
    slot, dry_run = row["enabled_at_slot"] or 0, row["dry_run"]
    if (slot, dry_run) == (before.enabled_at_slot, before.dry_run) and emitter is before.emitter:
        return before
    return replace(before, enabled_at_slot=slot, dry_run=dry_run, emitter=emitter)


def _triggers(version_ids: Iterable[int]) -> dict[int, Any]:
    triggers: dict[int, Any] = {}
    versions = WorkflowVersion.objects.filter(pk__in=list(version_ids))
    for version_id, definition, workflow_id in versions.values_list("id", "definition", "workflow_id").iterator():
        try:
            triggers[version_id] = parse(definition).trigger
        except SpecErrors as error:
            # Its events go unseen, which somebody has to learn; the other workflows must not suffer for it.
            log.error("definition_unreadable", workflow=str(workflow_id), version=version_id, problem=str(error))
    return triggers
