"""Enabled workflows out of the database, as the registry wants them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.db import connection

from accounts.models import Installation
from listener.models import Subscription
from listener.registry import Audience, Row, Wanted
from listener.watches import WATCHED_BY, Watch, triggers_of, watch_of
from workflows.models import Workflow, WorkflowVersion
from workflows.specs.errors import SpecErrors
from workflows.specs.workflow import parse

log = structlog.get_logger(__name__)

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
    workflows = Workflow.objects.filter(enabled=True, trigger_type__in=WATCHED_BY)
    if scope is not None:
        workflows = workflows.filter(pk__in=scope)
    wanted = tuple(_wanted(workflows.values(*_FIELDS), known))
    missing = {w.watch for w in wanted} - {watch for watch in {w.watch for w in wanted} if watch.digest in rows}
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
    workflows = Workflow.objects.none()
    for trigger_type, key in triggers_of(watch.kind):
        workflows |= Workflow.objects.filter(
            enabled=True,
            commitment=watch.commitment,
            trigger_type=trigger_type,
            **{f"version__definition__trigger__{key}": watch.address},
        )
    known = {wanted.workflow_id: wanted for wanted in audience.wanted}
    wanted = tuple(w for w in _wanted(workflows.values(*_FIELDS), known.get) if w.watch == watch)
    return Audience(audience.subscription_id, generation, watch, wanted)


def load_again(workflow_ids: Collection[UUID]) -> list[Wanted]:
    """These workflows as they are now, those that are enabled."""
    workflows = Workflow.objects.filter(enabled=True, trigger_type__in=WATCHED_BY, pk__in=workflow_ids)
    return list(_wanted(workflows.values(*_FIELDS), lambda _: None))


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
    changed = [row for row in found if not _is_known(row, known(row["id"]))]
    triggers = _triggers(row["version_id"] for row in changed)
    for row in found:
        before = known(row["id"])
        if before is not None and _is_known(row, before):
            yield _as_now(before, row)
            continue
        trigger = triggers.get(row["version_id"])
        watch = trigger and watch_of(trigger.type, trigger, row["commitment"])
        if watch:
            yield Wanted(
                row["id"],
                row["team_id"],
                row["version_id"],
                row["enabled_at_slot"] or 0,
                row["dry_run"],
                watch,
                trigger,
            )


def _is_known(row: Mapping[str, Any], before: Wanted | None) -> bool:
    return (
        before is not None and row["version_id"] == before.version_id and row["commitment"] == before.watch.commitment
    )


def _as_now(before: Wanted, row: Mapping[str, Any]) -> Wanted:
    slot, dry_run = row["enabled_at_slot"] or 0, row["dry_run"]
    if (slot, dry_run) == (before.enabled_at_slot, before.dry_run):
        return before
    return replace(before, enabled_at_slot=slot, dry_run=dry_run)


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
