"""Who wants a subscription at the moment of ingest: the registry's word, checked against the database.

The registry may be some milliseconds behind a commit. What decides is what is committed when the batch is written.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from accounts.prepared import prepared_cursor
from listener.loading import load_again, load_audience
from listener.registry import Audience, Wanted


@dataclass(frozen=True, slots=True)
class Current:
    """Audiences as committed, by subscription id. `is_stale`: the registry knew something else."""

    audiences: dict[int, Audience]
    is_stale: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    version_id: int
    enabled_at_slot: int
    dry_run: bool
    commitment: str


def current(audiences: Collection[Audience]) -> Current:
    """The audiences as they are now. Call it after the state rows are locked: enabling moves them before it commits.

    1. A subscription whose generation has grown is loaded again: there is a newcomer.
    2. A workflow with another version or commitment is loaded again, and leaves if it watches something else now.
    3. A workflow that is not enabled any more leaves.
    """
    generations, facts = _committed(
        [audience.subscription_id for audience in audiences],
        {wanted.workflow_id for audience in audiences for wanted in audience.wanted},
    )
    changed = [w.workflow_id for a in audiences for w in a.wanted if _has_changed(w, facts.get(w.workflow_id))]
    reloaded = {wanted.workflow_id: wanted for wanted in load_again(changed)} if changed else {}
    fresh: dict[int, Audience] = {}
    for audience in audiences:
        if generations.get(audience.subscription_id) != audience.generation:
            fresh[audience.subscription_id] = load_audience(audience)
        else:
            fresh[audience.subscription_id] = _checked(audience, facts, reloaded)
    return Current(fresh, any(fresh[audience.subscription_id] is not audience for audience in audiences))


def _checked(audience: Audience, facts: dict[UUID, _Facts], reloaded: dict[UUID, Wanted]) -> Audience:
    wanted = tuple(_as_now(w, facts.get(w.workflow_id), reloaded) for w in audience.wanted)
    if all(now is before for now, before in zip(wanted, audience.wanted, strict=True)):
        return audience
    return replace(audience, wanted=tuple(w for w in wanted if w is not None and audience.watch in w.watches))


def _as_now(wanted: Wanted, facts: _Facts | None, reloaded: dict[UUID, Wanted]) -> Wanted | None:
    if facts is None:
        return None
    if _has_changed(wanted, facts):
        return reloaded.get(wanted.workflow_id)
    if (facts.enabled_at_slot, facts.dry_run) == (wanted.enabled_at_slot, wanted.dry_run):
        return wanted
    return replace(wanted, enabled_at_slot=facts.enabled_at_slot, dry_run=facts.dry_run)


def _has_changed(wanted: Wanted, facts: _Facts | None) -> bool:
    return facts is not None and (facts.version_id != wanted.version_id or facts.commitment != wanted.commitment)


# One statement for both questions: this is on the way of every event.
_CURRENT = """
SELECT id, generation, NULL::uuid, NULL::bigint, NULL::bigint, NULL::bool, NULL::text
FROM listener_subscription WHERE id = ANY(%s::bigint[])
UNION ALL
SELECT NULL, NULL, id, version_id, enabled_at_slot, dry_run, commitment
FROM workflows_workflow WHERE id = ANY(%s::uuid[]) AND enabled
"""


def _committed(
    subscription_ids: list[int], workflow_ids: Collection[UUID]
) -> tuple[dict[int, int], dict[UUID, _Facts]]:
    """Generations of subscriptions, and facts of those workflows that are enabled."""
    generations: dict[int, int] = {}
    facts: dict[UUID, _Facts] = {}
    with prepared_cursor() as cursor:
        cursor.execute(_CURRENT, [subscription_ids, list(workflow_ids)])
        for subscription_id, generation, workflow_id, version_id, enabled_at_slot, dry_run, commitment in cursor:
            if workflow_id is None:
                generations[subscription_id] = generation
            else:
                facts[workflow_id] = _Facts(version_id, enabled_at_slot or 0, dry_run, commitment)
    return generations, facts
