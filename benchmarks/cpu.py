"""CPU seconds of the processes of a benchmark: what a rate costs, whatever else the machine is doing meanwhile."""

from __future__ import annotations

import os
from collections import defaultdict

import psutil


def used() -> dict[str, float]:
    """CPU seconds so far of this process and of those below it, by name: `self`, `postgres`, and the modules that ran
    by `python -m`."""
    me, seconds = psutil.Process(os.getpid()), defaultdict(float)
    for process in (me, *me.children(recursive=True)):
        try:
            times, name = process.cpu_times(), _name(process, me)
        except psutil.NoSuchProcess:
            continue
        seconds[name] += times.user + times.system
    return dict(seconds)


def since(before: dict[str, float]) -> dict[str, float]:
    """What each has used since `before`."""
    return {name: seconds - before.get(name, 0.0) for name, seconds in used().items()}


def _name(process: psutil.Process, me: psutil.Process) -> str:
    if process == me:
        return "self"
    command = process.cmdline()
    if (command and command[0].startswith("postgres:")) or process.name() == "postgres":
        return "postgres"
    return command[command.index("-m") + 1] if "-m" in command else process.name()
