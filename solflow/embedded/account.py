"""PostgreSQL refuses to run as root. Started by root, it runs as an ordinary account that owns its files only."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Sequence
from pathlib import Path
from signal import SIGKILL, Signals

from solflow.embedded.errors import EmbeddedError

ORDINARY_ACCOUNTS = ("postgres", "nobody")


def account_for(folder: Path) -> pwd.struct_passwd | None:
    """Who runs the server whose files are in `folder`: None for "as we are", else an account for us who are root.

    A folder that exists keeps its owner, so that files which an ordinary user made go on working under root.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        return pwd.getpwuid(folder.stat().st_uid)
    for name in ORDINARY_ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError("PostgreSQL does not run as root and this machine has no `nobody`: run as an ordinary user")


def make_folder(folder: Path, account: pwd.struct_passwd | None) -> None:
    """Make `folder` for `account` only; its parents stay as they are."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)


def run_as(account: pwd.struct_passwd | None, argv: Sequence[str], when_orphaned: Signals = SIGKILL) -> list[str]:
    """`argv`, run as `account`.

    CAP_DAC_OVERRIDE lets it through parent folders that are root's alone (a clone in root's home, `mktemp -d`), which
    would otherwise have to be opened to everybody. It is no more than root's other processes here may do. Changing the
    account makes the kernel forget what `solflow.supervisor.lifeline` asked for, so setpriv asks again.
    """
    if account is None:
        return list(argv)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedError(
            "PostgreSQL does not run as root and `setpriv` (package util-linux) is missing: "
            "install it, run as an ordinary user, or name a server in DATABASE_URL"
        )
    identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    capability = [f"--{kind}=-all,+dac_override" for kind in ("bounding-set", "inh-caps", "ambient-caps")]
    # Without it access(2), with which PostgreSQL looks for its own programs, forgets the capability.
    capability.append("--securebits=+no_setuid_fixup")
    return [setpriv, *identity, *capability, f"--pdeathsig={when_orphaned.name.removeprefix('SIG')}", "--", *argv]
