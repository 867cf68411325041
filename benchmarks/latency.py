"""One event at a time on an idle machine: from the notification on the socket to its outcome, beside the floor.

    python -m benchmarks.latency [--events 100]

    row       notification on the socket -> commit of the final row, for a workflow without actions
    signed    notification on the socket -> signed bytes handed to the RPC, for a workflow that pays
    floor     a Redis PING, a PostgreSQL commit and the round trip of a Celery task that does nothing, one after another

Real listener, worker and beat processes, the local chain with slots of 400 ms, PostgreSQL's default durability. Commits
are timed by PostgreSQL itself (track_commit_timestamp).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.figures import tell
from benchmarks.processes import ENGINE, running
from benchmarks.servers import servers

PAYMENT_LAMPORTS = 900_000
DEPOSIT_LAMPORTS = 1_000_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100)
    events = parser.parse_args().events
    with servers(track_commit_timestamp="on") as chain, running(*ENGINE):
        floors = floor(events)
        rows = cause(chain, events, pays=False)
        signed = cause(chain, events, pays=True)
    print(f"{'ms':<8} {'p50':>8} {'p90':>8} {'p99':>8} {'max':>8}")
    for name, values in (("floor", floors), ("row", rows), ("signed", signed)):
        report(name, values)
    print(f"row / floor, medians: {statistics.median(rows) / statistics.median(floors):.1f}")
    for name, values in (
        ("floor: PING, commit, empty task", floors),
        ("notification to final row", rows),
        ("notification to sent", signed),
    ):
        tell(name, f"p50 {quantile(values, 0.5):.1f} ms, p99 {quantile(values, 0.99):.1f} ms")


def floor(count: int) -> list[float]:
    """Milliseconds of a PING, a commit and a no-op task, one after another."""
    import redis
    from celery import current_app
    from django.conf import settings
    from django.db import connection

    from benchmarks.noop import DONE

    client = redis.Redis.from_url(settings.REDIS_URL)

    def once() -> None:
        client.ping()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_installation SET paused_reason = paused_reason WHERE id = 1")
        current_app.send_task("benchmarks.noop", queue="executions", ignore_result=True)
        client.blpop(DONE, timeout=10)

    once()
    return [timed(once) for _ in range(count)]


def timed(work: Callable[[], None]) -> float:
    started_s = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started_s)


def cause(chain: Any, count: int, *, pays: bool) -> list[float]:
    """Make `count` deposits one after another, each waited for; milliseconds of each."""
    from solders.keypair import Keypair

    from listener.services import workflow_enable
    from tests.watching import actor
    from workflows.services.signer import signer_create
    from workflows.services.workflow import workflow_create

    watched = str(Keypair().pubkey())
    actions, signer_id = [], None
    if pays:
        signer = signer_create(actor=actor(), name="bench")
        chain.airdrop(signer.address, 1000 * DEPOSIT_LAMPORTS)
        actions = [{"type": "transfer_sol", "to": str(Keypair().pubkey()), "lamports": PAYMENT_LAMPORTS}]
        signer_id = signer.id
    workflow = workflow_create(
        actor=actor(),
        definition={"trigger": {"type": "balance_change", "address": watched}, "actions": actions},
        settings={"name": f"latency {pays}", "max_executions_per_hour": 1_000_000},
        signer_id=signer_id,
    )
    workflow_enable(actor=actor(), workflow=workflow)
    measure = handed_over_ms if pays else committed_ms
    # The first events find caches empty.
    return [deposit(chain, watched, workflow, measure) for _ in range(count + 3)][3:]


def deposit(chain: Any, watched: str, workflow: Any, measure: Callable[[int], float]) -> float:
    from django.db.models import Max

    from executions.models import Execution

    last = Execution.objects.aggregate(last=Max("id"))["last"] or 0
    chain.airdrop(watched, DEPOSIT_LAMPORTS)
    deadline = time.monotonic() + 30
    # Rarely, because whoever asks while it happens takes the time that is measured.
    while not (row := Execution.objects.filter(workflow=workflow, status="success", id__gt=last).first()):
        assert time.monotonic() < deadline, "the deposit's execution did not succeed"
        time.sleep(0.25)
    return measure(row.id)


def committed_ms(row_id: int) -> float:
    return _milliseconds(
        "SELECT pg_xact_commit_timestamp(e.xmin), (e.steps -> 0 ->> 'at')::timestamptz"
        " FROM executions_execution e WHERE id = %s",
        row_id,
    )


def handed_over_ms(row_id: int) -> float:
    return _milliseconds(
        "SELECT a.sending_at, (e.steps -> 0 ->> 'at')::timestamptz FROM executions_execution e"
        " JOIN executions_attempt a ON a.execution_id = e.id WHERE e.id = %s ORDER BY a.number LIMIT 1",
        row_id,
    )


def _milliseconds(query: str, row_id: int) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(query, [row_id])
        end, start = cursor.fetchone()
    return float(1000 * (end - start).total_seconds())


def report(name: str, values: Sequence[float]) -> None:
    points = [quantile(values, share) for share in (0.5, 0.9, 0.99)]
    print(f"{name:<8} " + " ".join(f"{value:8.1f}" for value in (*points, max(values))))


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    main()
