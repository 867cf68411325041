"""Known vulnerabilities of what requirements.lock names. Red only for one that a newer release mends.

A database that cannot be reached, or knows nothing of a package, is a warning: CI must not depend on it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
TIMEOUT_S = 180


def report() -> dict[str, Any] | None:
    """What pip-audit says, None where it cannot say anything."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip"]
    try:
        done = subprocess.run(  # noqa: S603
            [*command, "--progress-spinner", "off", "--format", "json"],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return found


def judge(found: dict[str, Any] | None) -> tuple[list[str], bool]:
    """Lines to print, and whether this is red."""
    if found is None:
        return ["warning: no vulnerability database could be reached, nothing was audited"], False
    lines, red = [], False
    for package in found["dependencies"]:
        for one in package.get("vulns", ()):
            fixes = one["fix_versions"]
            red = red or bool(fixes)
            what_now = f"mended in {', '.join(fixes)}" if fixes else "no fix yet"
            lines.append(f"{package['name']} {package['version']}: {one['id']}, {what_now}")
    skipped = sum("skip_reason" in package for package in found["dependencies"])
    if skipped:
        lines.append(f"warning: {skipped} of {len(found['dependencies'])} packages are unknown to the database")
    return lines or ["no known vulnerabilities"], red


if __name__ == "__main__":
    said, is_red = judge(report())
    print(*said, sep="\n")  # noqa: T201
    sys.exit(is_red)
