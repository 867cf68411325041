"""Backups of the database: the file has its name only when all of it is there.

A backup holds the sealed keys of signers and channels, and not what opens them (FIELD_ENCRYPTION_KEYS, secrets.json):
that must be kept apart, and without it no signer of the backup can ever sign again.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections

from solflow.pgtools import Database, ToolError, Tools, complaint, tools_for

OWNER = "owner"


class BackupError(Exception):
    """A backup cannot be written or loaded. One line; nothing was changed."""


def write(target: Path, *, overwrite: bool) -> int:
    """Write a consistent backup of the database, mode 0600; the name exists when all of it is on disk. Returns bytes.

    Raises:
        BackupError: the name is taken (unless `overwrite`), the folder cannot be written, pg_dump fails.
    """
    if target.exists() and not overwrite:
        raise BackupError(f"{target} exists already; --force replaces it")
    owner, programs = database(), tools()[0]
    with _beside(target) as part:
        done = subprocess.run(  # noqa: S603
            [
                programs.program("pg_dump"),
                *("--format=custom", "--no-password", f"--file={part}", f"--dbname={owner.conninfo}"),
            ],
            env=owner.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BackupError(f"pg_dump failed: {complaint(done.stderr, f'code {done.returncode}')}")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    return target.stat().st_size


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """An empty file of our own in the target's folder, for us only, gone afterwards unless it was renamed."""
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise BackupError(f"{target.parent} cannot be written ({error.strerror})") from error
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def database() -> Database:
    """The database, as its owner."""
    return Database.of_settings(connections.settings[OWNER])


def tools() -> list[Tools]:
    """The programs that can speak to the server, the nearest version first. Raises BackupError when there are none."""
    try:
        return tools_for(connections[OWNER].pg_version // 10_000)  # type: ignore[attr-defined]
    except ToolError as error:
        raise BackupError(str(error)) from error
