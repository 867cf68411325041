"""The commit point: what was observed becomes state, keys and executions in one transaction, or nothing does.

`record` does, in this order (it is the order in which two listeners lock, too):

1. The state rows are locked by ascending id and moved; `previous_*` and the slot of the key come from this move.
2. The audiences are checked against the database: the version used is the one that is current now.
3. What matches goes to intake: keys first, then executions for the keys that are new.
4. Gaps and checkpoints.

After the commit intake wakes the workers. A crash before the commit leaves nothing, and the sockets or the read-back
bring it again; a crash after it leaves executions that the sweeper finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction

from chain.events import Event
from executions import intake
from executions.crashpoints import reach
from listener import audiences, checkpoints, states
from listener.matches import of_logs, of_transaction, of_transition
from listener.observations import (
    CaughtUp,
    FetchedTransaction,
    GapProgress,
    Observation,
    Past,
    Sample,
    Seen,
    TransactionLogs,
)
from listener.registry import Audience, Wanted
from listener.transitions import Transition

_WATCHED = (Sample, Past, TransactionLogs, FetchedTransaction)

AudienceOf = Callable[[int], Audience | None]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a batch came to. `doubtful` accounts (subscription, address, row's slot) should be read once more;
    `is_stale` says that the registry is behind the database; `in_doubt` is for the next batch (listener.states)."""

    execution_ids: list[int]
    matched: int
    doubtful: tuple[tuple[int, str, int], ...]
    is_stale: bool
    in_doubt: frozenset[states.Place] = frozenset()


@transaction.atomic
def record(
    batch: Sequence[Observation], audience_of: AudienceOf, in_doubt: frozenset[states.Place] = frozenset()
) -> Recorded:
    """Write one batch. Observations of subscriptions that nobody wants are left out: enabling reads afresh."""
    known = _known(batch, audience_of)
    samples = [seen for seen in batch if isinstance(seen, Sample | Past) and seen.subscription_id in known]
    told = [
        seen
        for seen in batch
        if isinstance(seen, TransactionLogs | FetchedTransaction) and seen.subscription_id in known
    ]
    moved = states.Moved((), (), in_doubt)
    if samples:
        moved = states.apply(samples, lambda subscription_id: known[subscription_id].watch.kind, in_doubt)
    concerned = {t.subscription_id for t in moved.transitions} | {seen.subscription_id for seen in told}
    now = audiences.current([known[subscription_id] for subscription_id in concerned]) if concerned else None
    found = _find(moved.transitions, told, now.audiences) if now is not None else []
    execution_ids = _take(found)
    if execution_ids:
        reach("ingest.executions_inserted")
    caught_up = [done for done in batch if isinstance(done, CaughtUp)]
    checkpoints.close_state_gaps(caught_up)
    checkpoints.record_progress([done for done in batch if isinstance(done, GapProgress)])
    checkpoints.advance([seen for seen in batch if isinstance(seen, Seen)], caught_up)
    is_stale = now is not None and now.is_stale
    return Recorded(execution_ids, len(found), moved.doubtful, is_stale, moved.in_doubt)


def _known(batch: Sequence[Observation], audience_of: AudienceOf) -> dict[int, Audience]:
    ids = {seen.subscription_id for seen in batch if isinstance(seen, _WATCHED)}
    return {subscription_id: found for subscription_id in ids if (found := audience_of(subscription_id)) is not None}


def _find(
    changes: Sequence[Transition],
    told: Sequence[TransactionLogs | FetchedTransaction],
    audience_of: Mapping[int, Audience],
) -> list[tuple[float, Wanted, Event]]:
    """Who wants what, with the time at which it was seen."""
    found: list[tuple[float, Wanted, Event]] = []
    for change in changes:
        matched = of_transition(change, audience_of[change.subscription_id])
        found += [(change.seen_at_s, wanted, event) for wanted, event in matched]
    for seen in told:
        audience = audience_of[seen.subscription_id]
        matched = of_logs(seen, audience) if isinstance(seen, TransactionLogs) else of_transaction(seen, audience)
        found += [(seen.seen_at_s, wanted, event) for wanted, event in matched]
    return found


def _take(found: Sequence[tuple[float, Wanted, Event]]) -> list[int]:
    if not found:
        return []
    matches = [
        intake.Match(wanted.workflow_id, wanted.version_id, wanted.team_id, wanted.dry_run, event)
        for _, wanted, event in found
    ]
    first_seen_s = min(seen_at_s for seen_at_s, _, _ in found)
    return intake.take(matches, detected_at=datetime.fromtimestamp(first_seen_s, UTC))
