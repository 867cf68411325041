"""PostgreSQL's own programs, pg_dump, pg_restore and psql: which to use, and how to tell them the password.

They must be as new as the server, and as the pg_dump that made a backup. There may be some on
PATH; those of the embedded server's wheel are always there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from solflow.embedded.errors import EmbeddedError
from solflow.embedded.postgres import BINARIES, binaries

# The server's messages, without psql's "psql:<stdin>:12: " and pg_dump's "pg_dump: error: ".
_WORDS = re.compile(r"(?:ERROR|FATAL|error):\s+(.*)")


class ToolError(Exception):
    """One of the programs is missing, too old, or has failed. One line, without a password."""


@dataclass(frozen=True)
class Database:
    """A database for libpq's programs: everything but the password, which goes through the environment."""

    conninfo: str
    password: str = field(repr=False)

    @classmethod
    def of_settings(cls, settings: dict[str, Any]) -> Database:
        """From an entry of Django's DATABASES."""
        options = {name: value for name, value in settings["OPTIONS"].items() if "password" not in name}
        named = {
            "host": settings["HOST"],
            "port": settings["PORT"],
            "user": settings["USER"],
            "dbname": settings["NAME"],
        }
        return cls(
            make_conninfo(**{name: value for name, value in named.items() if value}, **options), settings["PASSWORD"]
        )

    @property
    def environment(self) -> dict[str, str]:
        """What the programs are told beside their arguments. Their messages are read here, so they are in English."""
        known = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
        return {
            **known,
            "LC_ALL": "C",
            "PGAPPNAME": "solflow",
            **({"PGPASSWORD": self.password} if self.password else {}),
        }


@dataclass(frozen=True, order=True)
class Tools:
    """The programs of one installation of PostgreSQL."""

    major: int
    folder: Path = field(compare=False)

    def program(self, name: str) -> str:
        """The path of a program."""
        return str(self.folder / name)


def tools_for(server_major: int) -> list[Tools]:
    """Installations that can speak to a server of this major version, the nearest version first.

    Raises:
        ToolError: there is none.
    """
    found = sorted(one for one in _installed() if one.major >= server_major)
    if not found:
        raise ToolError(
            f"pg_dump, pg_restore and psql of PostgreSQL {server_major} or newer are needed; "
            "install the package postgresql-client, or add its folder to PATH"
        )
    return found


def _installed() -> Iterator[Tools]:
    for folder in _folders():
        programs = [folder / name for name in ("pg_dump", "pg_restore", "psql")]
        if all(program.exists() for program in programs):
            said = subprocess.run([str(programs[0]), "--version"], capture_output=True, text=True, check=False)  # noqa: S603
            if major := re.search(r"\) (\d+)", said.stdout):
                yield Tools(int(major[1]), folder)


def _folders() -> Iterator[Path]:
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        yield Path(on_path).parent
    for version in BINARIES:
        try:
            yield binaries(version)
        except EmbeddedError:
            return  # no wheel on this platform


def complaint(stderr: str, otherwise: str) -> str:
    """The first thing that a program complained about, as one line."""
    for line in stderr.splitlines():
        if words := _WORDS.search(line):
            return words[1].strip()
    return next((line.strip() for line in stderr.splitlines() if line.strip()), otherwise)
