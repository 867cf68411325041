"""Servers that outlived the `up` which started them, and process ids in files that belong to somebody else by now."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil


def servers_in(folder: Path, names: Sequence[str]) -> Iterator[psutil.Process]:
    """Running processes called one of `names` whose working directory is `folder`: both servers stay in their data's.

    Process ids from files are not asked: after a reboot, or in a container, they name other processes.
    """
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] in names and Path(process.cwd()).samefile(folder):
                yield process
        except (psutil.Error, OSError):
            continue


def stop_servers_in(folder: Path, names: Sequence[str], signals: Sequence[signal.Signals], patience_s: float) -> None:
    """Signal the servers in `folder`, mildest first, each with `patience_s` to go; after it none of them runs."""
    for number in (*signals, signal.SIGKILL):
        running = list(servers_in(folder, names))
        if not running:
            return
        for process in running:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(running, timeout=patience_s)
