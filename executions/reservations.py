"""What leaves the signers, judged against amounts, parties and days, and reserved: second half of the limits.

Under the locks of executions.limits, for many executions in one transaction: each is judged with what those before it
were granted, and all of it is stored at the end, or none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from accounts.prepared import prepared_cursor
from executions import stored_json, timing
from executions.build import Prepared
from executions.errors import LimitExceeded
from executions.limit_checks import check_amounts, check_day, check_parties, check_tokens_per_day
from executions.limits import refuse_outside_transaction
from executions.outflow import Outflow
from workflows.models import Signer, Workflow

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Reserving:
    """What one execution may take out of a signer."""

    execution_id: int
    workflow_id: UUID
    signer_id: UUID
    outflow: Outflow


@dataclass
class Spent:
    """What left in the last 24 hours, or may still leave, of workflows and signers that have a daily limit."""

    by_workflow: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    by_signer: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    tokens: dict[UUID, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    def admit(self, workflow: Workflow, signer: Signer, prepared: Prepared) -> None:
        """Raises LimitExceeded, with the figures, where a limit does not let this pass."""
        for check in self._checks(workflow, signer, prepared):
            check()

    def refusals(self, workflow: Workflow, signer: Signer, prepared: Prepared) -> list[LimitExceeded]:
        """Every limit that does not let this pass."""
        found = []
        for check in self._checks(workflow, signer, prepared):
            try:
                check()
            except LimitExceeded as error:
                found.append(error)
        return found

    def add(self, one: Reserving) -> None:
        """This has been granted: it counts for whoever is judged next."""
        self.by_workflow[one.workflow_id] += one.outflow.lamports
        self.by_signer[one.signer_id] += one.outflow.lamports
        for mint, amount in one.outflow.tokens.items():
            self.tokens[one.workflow_id][mint] += amount

    def _checks(self, workflow: Workflow, signer: Signer, prepared: Prepared) -> Iterator[Callable[[], None]]:
        outflow = prepared.outflow
        yield partial(check_amounts, workflow, outflow)
        yield partial(check_parties, workflow, prepared.recipients, prepared.programs)
        days = (
            ("workflow", self.by_workflow[workflow.id], workflow.max_lamports_per_day),
            ("signer", self.by_signer[signer.id], signer.max_lamports_per_day),
        )
        for whose, spent, allowed in days:
            if allowed is not None:
                yield partial(check_day, whose, lamports=outflow.lamports, spent=spent, allowed=allowed)
        if outflow.tokens and workflow.max_tokens_per_day:
            spent_tokens = self.tokens[workflow.id]
            yield partial(check_tokens_per_day, outflow.tokens, spent_tokens, workflow.max_tokens_per_day)


_SPENT = """
SELECT workflow_id, NULL::uuid, SUM(lamports) FROM executions_reservation
WHERE workflow_id = ANY(%(workflows)s) AND at > %(since)s AND status <> 'released'
  AND NOT (status = 'reserved' AND execution_id = ANY(%(own)s)) GROUP BY workflow_id
UNION ALL
SELECT NULL, signer_id, SUM(lamports) FROM executions_reservation
WHERE signer_id = ANY(%(signers)s) AND at > %(since)s AND status <> 'released'
  AND NOT (status = 'reserved' AND execution_id = ANY(%(own)s)) GROUP BY signer_id
"""
_SPENT_TOKENS = """
SELECT r.workflow_id, t.key, SUM(t.value::numeric) FROM executions_reservation r, jsonb_each_text(r.tokens) t
WHERE r.workflow_id = ANY(%(workflows)s) AND r.at > %(since)s AND r.status <> 'released'
  AND NOT (r.status = 'reserved' AND r.execution_id = ANY(%(own)s)) GROUP BY r.workflow_id, t.key
"""


def spent(
    workflows: Collection[Workflow], signers: Collection[Signer], now: datetime, *, replaced: Sequence[int] = ()
) -> Spent:
    """What counts against their daily limits now. `replaced`: the executions that are judged; what an earlier attempt
    of theirs has reserved, and cannot land any more, counts only if they reserve again."""
    found = Spent()
    values = {"since": now - timing.delta(DAY.total_seconds()), "own": list(replaced)}
    capped = [one.id for one in workflows if one.max_lamports_per_day is not None]
    capped_signers = [one.id for one in signers if one.max_lamports_per_day is not None]
    capped_tokens = [one.id for one in workflows if one.max_tokens_per_day]
    with prepared_cursor() as cursor:
        if capped or capped_signers:
            cursor.execute(_SPENT, {**values, "workflows": capped, "signers": capped_signers})
            for workflow_id, signer_id, lamports in cursor:
                into, key = (found.by_workflow, workflow_id) if signer_id is None else (found.by_signer, signer_id)
                into[key] += int(lamports)
        if capped_tokens:
            cursor.execute(_SPENT_TOKENS, {**values, "workflows": capped_tokens})
            for workflow_id, mint, amount in cursor:
                found.tokens[workflow_id][mint] += int(amount)
    return found


# What an expired attempt reserved is still reserved, and is replaced.
_STORE = """
INSERT INTO executions_reservation (execution_id, workflow_id, signer_id, status, lamports, tokens, granted, at)
SELECT execution_id, workflow_id, signer_id, 'reserved', lamports, tokens::jsonb, granted::jsonb, %(now)s
FROM unnest(%(executions)s::bigint[], %(workflows)s::uuid[], %(signers)s::uuid[], %(lamports)s::bigint[],
    %(tokens)b::text[], %(granted)b::text[])
    AS o(execution_id, workflow_id, signer_id, lamports, tokens, granted)
ON CONFLICT (execution_id) WHERE status = 'reserved' DO UPDATE SET
    workflow_id = EXCLUDED.workflow_id, signer_id = EXCLUDED.signer_id, lamports = EXCLUDED.lamports,
    tokens = EXCLUDED.tokens, granted = EXCLUDED.granted, at = EXCLUDED.at
"""


def store(granted: Sequence[Reserving], now: datetime) -> None:
    """Reserve these, in the caller's transaction, which has judged them under the locks."""
    refuse_outside_transaction()
    if not granted:
        return
    with prepared_cursor() as cursor:
        cursor.execute(
            _STORE,
            {
                "now": now,
                "executions": [one.execution_id for one in granted],
                "workflows": [one.workflow_id for one in granted],
                "signers": [one.signer_id for one in granted],
                "lamports": [one.outflow.lamports for one in granted],
                "tokens": [stored_json.dumps(one.outflow.tokens) for one in granted],
                "granted": [stored_json.dumps(one.outflow.granted.as_json()) for one in granted],
            },
        )
