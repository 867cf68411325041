"""How long a listener takes to cover many workflows, and how much memory it holds then.

python -m benchmarks.start [--workflows 5000] [--accounts 2000]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import tell
from benchmarks.servers import servers
from tests.processes import ManagedProcess
from tests.waiting import wait_for


def make_workflows(workflows: int, accounts: int) -> None:
    """Rows as enabling leaves them, in bulk: what is measured is the listener."""
    from solders.keypair import Keypair

    from listener.loading import ensure_rows
    from listener.models import AccountState, Subscription
    from listener.watches import Watch
    from tests.watching import workflow
    from workflows.models import Workflow, WorkflowVersion

    addresses = [str(Keypair().pubkey()) for _ in range(accounts)]
    template = workflow({"type": "balance_change", "address": addresses[0]})
    rows = [
        Workflow(team=template.team, name=f"watch {n}", trigger_type="balance_change", enabled=True, enabled_at_slot=1)
        for n in range(workflows)
    ]
    Workflow.objects.bulk_create(rows)
    versions = [
        WorkflowVersion(workflow=row, number=1, definition=_definition(addresses[n % accounts]))
        for n, row in enumerate(rows)
    ]
    WorkflowVersion.objects.bulk_create(versions)
    for row, version in zip(rows, versions, strict=True):
        row.version = version
    Workflow.objects.bulk_update(rows, ["version"], batch_size=1000)
    ensure_rows(Watch("balance", address, "confirmed") for address in addresses)
    Subscription.objects.update(checkpoint_slot=1)
    AccountState.objects.bulk_create(
        AccountState(subscription_id=pk, address=address, slot=1, lamports=0)
        for pk, address in Subscription.objects.values_list("id", "address")
    )


def _definition(address: str) -> dict[str, Any]:
    return {"schema": 1, "trigger": {"type": "balance_change", "address": address}}


def memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workflows", type=int, default=5000)
    parser.add_argument("--accounts", type=int, default=2000)
    options = parser.parse_args()
    with servers(), tempfile.TemporaryDirectory() as folder:
        from listener.models import Gap
        from solflow import parts

        make_workflows(options.workflows, options.accounts)

        def covers_all() -> bool:
            """A restart is a gap of each subscription, filled when it has been read back and is seen live."""
            return Gap.objects.filter(status="filled").count() == options.accounts

        listener = ManagedProcess("listener", parts.listener, {**os.environ}, Path(folder) / "log", lambda _: True)
        started_s = time.perf_counter()
        listener.launch()
        wait_for(covers_all, 120, "everything to be covered")
        seconds = time.perf_counter() - started_s
        tell(
            f"listener with {options.workflows:,} workflows on {options.accounts:,} accounts",
            f"covered after {seconds:.1f} s, {memory_mb(listener.pid):.0f} MB",
        )
        listener.stop()


if __name__ == "__main__":
    main()
