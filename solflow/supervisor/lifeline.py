"""Run a command that ends with its parent: `python lifeline.py PARENT_PID SIGNAL COMMAND...`.

The kernel sends SIGNAL to the command when the supervisor is gone, even after kill -9, so that nothing is orphaned.
Only Linux can do that; elsewhere the command just runs, and the next `up` finds what is left. A script of its own
rather than a hook between fork and exec: the supervisor has threads, and such a hook may then deadlock.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from signal import Signals

PR_SET_PDEATHSIG = 1


def tied_to_us(command: Sequence[str], when_orphaned: Signals) -> list[str]:
    """`command` as a child of this process that gets `when_orphaned` when this thread ends."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(when_orphaned)), *command]


def main() -> None:
    parent, number, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before the request reached the kernel
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
