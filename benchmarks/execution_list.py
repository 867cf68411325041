"""The list of executions over a long history: python -m benchmarks.execution_list [--rows 1000000]

Fills a throw-away PostgreSQL with executions of twenty workflows, then prints what the database says of each page that
the dashboard and the API ask for: the plan, and how long it ran. Exits with 1 when one takes longer than BOUND_MS.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from benchmarks.servers import servers

BOUND_MS = 50
PAGE = 51
WORKFLOWS = 20
# Of a thousand events 900 are filtered out, 97 succeed, 2 fail and 1 is throttled; every third has a transaction.
_FILL = """
WITH made AS (
    INSERT INTO executions_executionkey (execution_id, created_at)
    SELECT encode(sha256(n::text::bytea), 'hex'), now() - n * interval '1 second' FROM generate_series(1, %(rows)s) n
    RETURNING id, execution_id, created_at
)
INSERT INTO executions_execution (id, execution_id, team_id, workflow_id, version_id, trigger, event, status, dry_run,
    steps, error_code, error_detail, created_at, completed_at)
SELECT id, execution_id, %(team)s, (%(workflows)s::uuid[])[1 + id %% %(kinds)s],
    (%(versions)s::bigint[])[1 + id %% %(kinds)s], 'program_log', jsonb_build_object('type', 'program_log', 'slot', id,
    'account', rpad('Watched' || translate((id %% 5000)::text, '0', 'A') || 'w', 44, 'x'),
    'signature', CASE WHEN id %% 3 = 0 THEN rpad('Sig' || translate(id::text, '0', 'A') || 's', 88, 'y') END,
    'logs', jsonb_build_array(repeat('Program log: x ', 9))),
    CASE WHEN id %% 1000 < 900 THEN 'filtered' WHEN id %% 1000 < 997 THEN 'success' WHEN id %% 1000 < 999 THEN 'failed'
    ELSE 'throttled' END, false, '[]', '', '', created_at, created_at
FROM made
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with servers():
        team = fill(options.rows)
        sys.exit(0 if measure(team) else 1)


def fill(rows: int) -> Any:
    from django.db import connection, connections

    from accounts.actors import Actor
    from accounts.models import Role
    from accounts.services import default_team
    from workflows.services import workflow_create

    team = default_team()
    actor = Actor(team=team, name="user:bench", role=Role.ADMIN)
    definition = {"schema": 1, "trigger": {"type": "manual"}, "actions": []}
    made = [
        workflow_create(actor=actor, definition=definition, settings={"name": f"Workflow {number}"}, signer_id=None)
        for number in range(WORKFLOWS)
    ]
    values = {"rows": rows, "team": team.pk, "kinds": WORKFLOWS}
    values |= {"workflows": [one.id for one in made], "versions": [one.version_id for one in made]}
    started = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_FILL, values)
        print(f"{rows} executions in {time.monotonic() - started:.0f} s")
    # Only the role that owns a table may.
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    return team


def measure(team: Any) -> bool:
    """Explain every page; whether all were fast enough."""
    from executions.models import Execution

    oldest = Execution.objects.order_by("created_at").first()
    assert oldest is not None
    middle = Execution.objects.order_by("-created_at")[Execution.objects.count() // 2]
    failed = Execution.objects.filter(status="failed").first()
    assert failed is not None
    signature = next(one.event["signature"] for one in Execution.objects.all()[:5] if one.event["signature"])
    asked: dict[str, dict[str, Any]] = {
        "first page": {},
        "a page in the middle": {"created_before": middle.created_at.isoformat()},
        "a rare status": {"status": ["throttled"]},
        "a status that is never met": {"status": ["processing"]},
        "two statuses": {"status": ["failed", "throttled"]},
        "a workflow": {"workflow": oldest.workflow_id},
        "failures of a workflow": {"workflow": failed.workflow_id, "status": ["failed"]},
        "failures of a day long ago": {
            "status": ["failed"],
            "created_after": oldest.created_at.isoformat(),
            "created_before": middle.created_at.isoformat(),
        },
        "an id's beginning": {"search": oldest.execution_id[:8]},
        "an address": {"search": oldest.event["account"]},
        "an address's beginning": {"search": oldest.event["account"][:10]},
        "the beginning of every address": {"search": "Watched"},
        "a signature": {"search": signature},
        "a signature by its filter": {"signature": signature},
        "nothing at all": {"search": "nobody has written this"},
    }
    fast = [explain(name, team, given) for name, given in asked.items()]
    return all(fast)


def explain(name: str, team: Any, given: dict[str, Any]) -> bool:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from executions.filters import ExecutionFilter
    from executions.selectors import execution_list

    with CaptureQueriesContext(connection) as asked:
        narrowing = ExecutionFilter({"status": [], **given}, queryset=execution_list(team=team))
        assert narrowing.is_valid(), narrowing.errors
        found = len(narrowing.qs[:PAGE])
    took, plans = 0.0, []
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON) {query['sql']}")
            (answer,) = cursor.fetchone()
            plan = answer if isinstance(answer, list) else json.loads(answer)
            took += plan[0]["Planning Time"] + plan[0]["Execution Time"]
            plans.append(" > ".join(nodes(plan[0]["Plan"])))
    print(f"\n{name}: {found} rows, {len(plans)} statements, {took:.1f} ms")
    for plan_text in plans:
        print(f"    {plan_text}")
    return took < BOUND_MS


def nodes(plan: dict[str, Any]) -> list[str]:
    """The plan's nodes from the top, each with its index."""
    here = f"{plan['Node Type']}{' on ' + plan['Index Name'] if 'Index Name' in plan else ''}"
    return [here, *(node for below in plan.get("Plans", []) for node in nodes(below))]


if __name__ == "__main__":
    main()
