"""Executions a second from the socket to their end, all processes running.

    python -m benchmarks.throughput [--executions 20000] [--payments 2000] [--accounts 100]

    no action    a balance change, a filter that lets it pass, the final row
    landed       the same with a payment: simulated, signed, written ahead, sent, confirmed by the local chain

A server floods a real listener's socket; worker, beat and PostgreSQL are as shipped. The clock starts with the first
notification and stops when the last execution has ended.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.figures import tell
from benchmarks.processes import ENGINE, running
from benchmarks.servers import servers
from tests.waiting import wait_for

PAYMENT_LAMPORTS = 900_000
SIGNERS_LAMPORTS = 10**12
TIMEOUT_S = 600


def main() -> None:
    options = parser(__doc__, executions=20_000, payments=2_000).parse_args()
    with flooded() as (chain, port):
        for name, count, pays in (("no action", options.executions, False), ("landed", options.payments, True)):
            seconds = load(chain, port, count, options.accounts, pays=pays)
            tell(f"executions, {name}, end to end", f"{count / seconds:,.0f}/s")


def parser(doc: str | None, *, executions: int, payments: int) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--executions", type=int, default=executions)
    made.add_argument("--payments", type=int, default=payments)
    made.add_argument("--accounts", type=int, default=100)
    return made


@contextmanager
def flooded() -> Iterator[tuple[Any, int]]:
    """Servers whose listener will listen to a flood: the chain, for RPC, and the port where the flood has to come."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with servers(ws_url=f"ws://127.0.0.1:{port}") as chain:
        yield chain, port


def load(chain: Any, port: int, count: int, accounts: int, *, pays: bool, passes: bool = True) -> float:
    """Cause `count` executions of `accounts` workflows; seconds from the first notification to the last end."""
    from executions.models import Execution, Heartbeat
    from workflows.models import Workflow

    Workflow.objects.update(enabled=False)
    for _ in range(accounts):
        make_workflow(chain, pays=pays, passes=passes)
    before = Execution.objects.count()
    command = [sys.executable, "-m", "benchmarks.flood", str(port), str(accounts), str(count), "account"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as flood:
        assert flood.stdin is not None and flood.stdout is not None
        flood.stdout.readline()
        try:
            with running(*ENGINE):
                wait_for(
                    lambda: Heartbeat.objects.filter(kind="listener", detail__covered=accounts).exists(),
                    *(60, "everything to be covered"),
                )
                started_s = time.perf_counter()
                flood.stdin.write("go\n")
                flood.stdin.flush()
                # Rarely, because whoever asks while it happens takes the time that is measured.
                while ended(before) < count:
                    assert time.perf_counter() - started_s < TIMEOUT_S, f"{ended(before)} of {count} ended"
                    time.sleep(0.1)
                seconds = time.perf_counter() - started_s
        finally:
            flood.kill()
    wanted = "success" if passes else "filtered"
    others = Execution.objects.exclude(status=wanted).filter(workflow__enabled=True).values_list("error_code", "status")
    assert not others.exists(), f"some did not end as {wanted}: {list(others[:3])}"
    Heartbeat.objects.all().delete()
    return seconds


def ended(before: int) -> int:
    from executions.models import Execution

    return Execution.objects.exclude(status__in=("pending", "processing")).count() - before


def make_workflow(chain: Any, *, pays: bool, passes: bool) -> None:
    from solders.keypair import Keypair

    from listener.services import workflow_enable
    from tests.watching import actor
    from workflows.services.signer import signer_create
    from workflows.services.workflow import workflow_create

    actions, signer_id = [], None
    if pays:
        signer = signer_create(actor=actor(), name="bench")
        chain.airdrop(signer.address, SIGNERS_LAMPORTS)
        actions = [{"type": "transfer_sol", "to": str(Keypair().pubkey()), "lamports": PAYMENT_LAMPORTS}]
        signer_id = signer.id
    definition = {
        "trigger": {"type": "balance_change", "address": str(Keypair().pubkey())},
        "filter": {"field": "event.lamports", "op": "gt", "value": 0 if passes else 2**60},
        "actions": actions,
    }
    settings = {"name": "bench", "max_executions_per_hour": 1_000_000}
    workflow = workflow_create(actor=actor(), definition=definition, settings=settings, signer_id=signer_id)
    workflow_enable(actor=actor(), workflow=workflow)


if __name__ == "__main__":
    main()
