"""All figures of this machine as one table: python -m benchmarks [--quick] [NAME …]

Takes about ten minutes; with --quick one or two, and the figures say only that the scripts work. Run it while nothing
else runs.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.figures import Figure, table, told

# Each with what it is told for a quick look. A process of its own for each: Django is set up once in a process.
SCRIPTS: dict[str, Sequence[str]] = {
    "latency": ("--events", "5"),
    "throughput": ("--executions", "500", "--payments", "30", "--accounts", "20"),
    "ingest": ("--notifications", "2000", "--accounts", "20", "--kinds", "matching,too small"),
    "idle": ("--seconds", "5"),
    "size": ("--executions", "300", "--payments", "20", "--accounts", "10"),
    "start": ("--workflows", "100", "--accounts", "50"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that the scripts work")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCRIPTS)}")
    options = parser.parse_args()
    if unknown := set(options.names) - set(SCRIPTS):
        parser.error(f"there is no benchmark {unknown.pop()!r}; there are {', '.join(SCRIPTS)}")
    of_what = machine()
    figures: list[Figure] = []
    for name in options.names or SCRIPTS:
        print(f"# {name}", file=sys.stderr, flush=True)
        figures += run(name, SCRIPTS[name] if options.quick else ())
    print(f"\n{of_what}\n\n{table(figures)}")


def run(name: str, words: Sequence[str]) -> list[Figure]:
    """Run one and pass on what it prints; what it told. A script that fails ends all."""
    found: list[Figure] = []
    command = [sys.executable, "-m", f"benchmarks.{name}", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", file=sys.stderr, flush=True)
            if figure := told(line):
                found.append(figure)
    if process.returncode:
        sys.exit(f"{name} ended with {process.returncode}")
    return found


def machine() -> str:
    """What the figures are of."""
    memory_gib = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({processor()}), {memory_gib:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; load before: {os.getloadavg()[0]:.1f}"
    )


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
