"""What SolFlow uses while nothing happens: memory of each process, processor, and what it asks of the database.

    python -m benchmarks.idle [--seconds 60]

Web, worker, beat and listener with one enabled workflow, on the local chain with slots of 400 ms.
"""

from __future__ import annotations

import argparse
import time

from benchmarks import processes
from benchmarks.figures import tell
from benchmarks.servers import servers
from benchmarks.throughput import make_workflow

WARM_UP_S = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    with servers() as chain:
        make_workflow(chain, pays=False, passes=True)
        with processes.running(*processes.ALL) as parts:
            pids = {name: part.pid for name, part in parts.items()}
            time.sleep(WARM_UP_S)
            before_s, transactions = processes.cpu_s(pids), committed()
            time.sleep(seconds)
            used_s = {name: after_s - before_s[name] for name, after_s in processes.cpu_s(pids).items()}
            for name, mib in processes.memory_mib(pids).items():
                tell(f"{name}, idle", f"{mib:.0f} MiB, {100 * used_s[name] / seconds:.1f} % of a core")
            each_s = (committed() - transactions) / seconds
            tell("database, idle", f"{each_s:.1f} transactions/s, {processes.database_connections()} connections")


def committed() -> int:
    """Transactions of this database so far, these questions included."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()")
        (count,) = cursor.fetchone()
    return int(count)


if __name__ == "__main__":
    main()
