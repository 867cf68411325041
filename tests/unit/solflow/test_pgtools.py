"""Which of PostgreSQL's programs are used, what they are told, and how their complaints are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from solflow import pgtools
from solflow.pgtools import Database, ToolError, complaint, tools_for

SETTINGS = {
    "HOST": "db.example.org",
    "PORT": "6432",
    "USER": "solflow_owner",
    "PASSWORD": "hunter2 secret",
    "NAME": "sol'flow",
    "OPTIONS": {"sslmode": "require", "sslpassword": "other secret"},
}


def installation(folder: Path, version: str, *, without: str = "") -> Path:
    """A folder with programs that tell this version."""
    folder.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        if name != without:
            (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
            (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Three installations, one of them not whole."""
    folders = [
        installation(tmp_path / "new", "18.4"),
        installation(tmp_path / "debian", "15.18 (Debian 15.18-0+deb12u1)"),
        installation(tmp_path / "half", "17.2", without="psql"),
    ]
    monkeypatch.setattr(pgtools, "_folders", lambda: iter(folders))
    return tmp_path


def test_the_nearest_version_that_is_not_older_than_the_server_comes_first(installed: Path):
    assert [one.folder.name for one in tools_for(14)] == ["debian", "new"]
    assert [one.folder.name for one in tools_for(16)] == ["new"]


def test_no_version_that_fits_is_an_error_that_says_what_to_install(installed: Path):
    with pytest.raises(ToolError, match="PostgreSQL 19 or newer are needed; install the package postgresql-client"):
        tools_for(19)


def test_a_password_is_neither_in_an_argument_nor_in_a_repr():
    database = Database.of_settings(SETTINGS)
    assert "secret" not in database.conninfo
    assert "secret" not in repr(database)
    assert database.environment["PGPASSWORD"] == "hunter2 secret"
    assert "sslmode=require" in database.conninfo


def test_programs_are_told_nothing_else_of_our_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIELD_ENCRYPTION_KEYS", "a key")
    monkeypatch.setenv("PGHOST", "elsewhere")
    told = Database.of_settings(SETTINGS).environment
    assert not {"FIELD_ENCRYPTION_KEYS", "PGHOST"} & set(told)


@pytest.mark.parametrize(
    ("stderr", "line"),
    [
        (
            'psql:<stdin>:12: NOTICE:  x\npsql:<stdin>:14: ERROR:  role "a" does not exist\nmore',
            'role "a" does not exist',
        ),
        ("pg_dump: error: connection to server failed: FATAL:  no\n", "connection to server failed: FATAL:  no"),
        ("something odd\n", "something odd"),
        ("", "code 3"),
    ],
)
def test_a_complaint_is_one_line(stderr: str, line: str):
    assert complaint(stderr, "code 3") == line
