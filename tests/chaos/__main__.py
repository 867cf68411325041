"""Run SolFlow under random faults and compare the sums: `python -m tests.chaos --minutes 10 --seed 7`.

Exit code 0 when all sums agree, 1 when one does not; the logs of all processes are kept then.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.environment import FOLDER  # the first of ours: it loads Django's settings

from django.conf import settings  # isort: skip
from django.core.management import call_command  # isort: skip
from django.db import InterfaceError, OperationalError, close_old_connections, connections  # isort: skip

from executions.models import Attempt, Delivery, Execution
from executions.states import LANDED, MAY_LAND
from listener.models import Gap
from tests.chaos.checks import Facts, all_sums
from tests.chaos.history import History
from tests.chaos.load import Callers, Deposits
from tests.chaos.people import PAUSES
from tests.chaos.report import figures, say, table
from tests.chaos.scenario import Maker, Scenario
from tests.chaos.schedule import FAULTS, LANES, Strikes, draw
from tests.chaos.world import World
from tests.local_gateway import gateway_on

SLOT_MS = 400
CALL_EVERY_S = 1.0
TEND_S = 0.1
PROGRESS_S = 10.0
# The longest that anything waits: an attempt that expires twice, and a message on the fourth rung of its ladder.
QUIET_WITHIN_S = 300.0


def main() -> int:
    options = _parse()
    say(f"seed {options.seed}, {options.minutes:g} minutes, {options.rate:g} events a second")
    world = World(slot_ms=int(SLOT_MS * options.scale), time_scale=options.scale)
    kept = None
    try:
        agrees = _run(world, options)
        if not agrees or options.keep_logs:
            kept = Path(tempfile.mkdtemp(prefix="solflow-chaos-"))
            world.keep_logs(kept)
    finally:
        world.close()
        connections.close_all()
        shutil.rmtree(FOLDER, ignore_errors=True)
    if kept is not None:
        say(f"logs: {kept}")
    return 0 if agrees else 1


def _run(world: World, options: argparse.Namespace) -> bool:
    stack = world.open()
    call_command("migrate", database="owner", interactive=False, verbosity=0, skip_checks=True)
    connections.close_all()
    settings.OUTBOUND_ALLOWED_HOSTS = [world.receiver.host]
    with gateway_on(world.chain, settings):
        scenario = Maker(world.chain, world.receiver).make(options.accounts)
    first_slot = world.chain.slot("processed") - 1
    api = stack.api()
    world.start_parts()
    deposits = Deposits(world.chain, [one.address for one in scenario.watched], rate=options.rate, seed=options.seed)
    callers = Callers(stack.url, api.session.headers["Authorization"].split()[1], scenario, every_s=CALL_EVERY_S)
    strikes = Strikes(world, draw(options.seed, options.minutes * 60, options.faults))
    for part in (deposits, callers, strikes):
        part.start()
    _tend_until(world, lambda: False, options.minutes * 60)
    say("the load ends, the faults are healed")
    deposits.stop()
    world.quiet.set()
    _tend_until(world, lambda: not strikes.under_way, 60)
    world.chain.clear_faults()
    callers.stop()
    world.calm()
    began_s = time.monotonic()
    _tend_until(world, lambda: not callers.under_way and not _glance(), QUIET_WITHIN_S)
    say(f"quiet after {time.monotonic() - began_s:.0f} s; the load was at most {deposits.latest_by_s:.1f} s late")
    return _compare(world, scenario, callers, first_slot, strikes.broken)


def _compare(world: World, scenario: Scenario, callers: Callers, first_slot: int, broken: list[str]) -> bool:
    facts = Facts(
        chain=world.chain,
        scenario=scenario,
        history=History(world.chain, first_slot),
        receiver=world.receiver,
        answered=callers.answered,
        pauses=PAUSES,
        ended=world.ended,
    )
    sums = all_sums(facts)
    say(figures(facts, world.restarts()))
    say(table(sums))
    for fault in broken:
        say(f"a fault could not be struck: {fault}")
    return all(one.agrees for one in sums)


def _glance() -> dict[str, int]:
    """What `_waiting` counts; that nobody knows, while the database is away. It must not wait: who asks is who starts
    the database again."""
    close_old_connections()
    try:
        return _waiting()
    except (OperationalError, InterfaceError):
        connections.close_all()
        return {"unknown": 1}


def _waiting() -> dict[str, int]:
    """Rows that are not done yet, by kind; empty when there are none."""
    counts = {
        "pending": Execution.objects.filter(status="pending").count(),
        "processing": Execution.objects.filter(status="processing").count(),
        "in flight": Attempt.objects.filter(status__in=MAY_LAND).count(),
        "not final": Attempt.objects.filter(status__in=LANDED, finalized_at=None).count(),
        "messages": Delivery.objects.filter(status="pending").count(),
        "gaps": Gap.objects.filter(status="open").count(),
    }
    return {kind: count for kind, count in counts.items() if count}


def _tend_until(world: World, condition: Callable[[], object], timeout_s: float) -> None:
    """Keep the processes alive until `condition` holds, or for so long."""
    began_s = told_s = time.monotonic()
    while time.monotonic() - began_s < timeout_s and not condition():
        world.tend()
        time.sleep(TEND_S)
        if time.monotonic() - told_s > PROGRESS_S:
            told_s = time.monotonic()
            waiting = ", ".join(f"{count} {kind}" for kind, count in _glance().items())
            say(f"  {told_s - began_s:6.0f} s  waiting: {waiting or 'nothing'}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long faults strike (default 10)")
    parser.add_argument("--rate", type=float, default=20, help="events a second (default 20)")
    parser.add_argument("--accounts", type=int, default=100, help="accounts that change (default 100)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of faults and load; printed")
    parser.add_argument("--scale", type=float, default=1, help="shrinks slots, windows, ladders and leases (default 1)")
    parser.add_argument("--keep-logs", action="store_true", help="keep the logs also when all sums agree")
    parser.add_argument(
        "--faults",
        type=lambda text: [name for name in text.split(",") if name],
        default=[],
        help=f"only these, by comma: lanes {', '.join(LANES)}, or {', '.join(FAULTS)}; none: no faults at all",
    )
    options = parser.parse_args()
    unknown = set(options.faults) - {*LANES, *FAULTS, "none"}
    if unknown:
        parser.error(f"unknown faults: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main())
