"""Puts a backup in the place of the database, whole or not at all.

Loading is one transaction: the tables of before go, those of the backup come, everything is paused, and the epoch is a
new one. A crash leaves either the old database, or the loaded one paused and unknown to the data directory.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import IO, cast

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from solflow import epoch
from solflow.backups import OWNER, BackupError, database, tools
from solflow.pgtools import Database, Tools, complaint

CHUNK_BYTES = 1 << 20
REASON = "This database was restored from a backup."


def load(file: Path) -> None:
    """Put the backup in the place of the database, bring its tables up to date, mark it as restored and paused.

    Raises:
        BackupError: the file is no backup of SolFlow, or of a newer version; loading fails. The database is as before.
    """
    programs = _programs_for(file)
    unknown = sorted(
        _migrations_in(file, programs) - set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    )
    if unknown:
        app, name = unknown[0]
        raise BackupError(f"{file} was made by a newer version of SolFlow (it has {app} {name}): update this one first")
    connections.close_all()
    _replay(file, programs, database())
    call_command("migrate", database=OWNER, interactive=False, verbosity=0, skip_checks=True)
    epoch.begin_anew(settings.DATA_DIR, REASON)


def _programs_for(file: Path) -> Tools:
    """The nearest to the server among those that can read the file."""
    if not file.is_file():
        raise BackupError(f"{file} is no file")
    problem = ""
    for programs in tools():
        listed = subprocess.run(  # noqa: S603
            [programs.program("pg_restore"), "--list", str(file)], capture_output=True, text=True, check=False
        )
        if listed.returncode == 0:
            if "TABLE DATA public accounts_installation" not in listed.stdout:
                raise BackupError(f"{file} is a backup of something else than SolFlow")
            return programs
        problem = complaint(listed.stderr, f"code {listed.returncode}")
    raise BackupError(f"{file} cannot be read as a backup: {problem}")


def _migrations_in(file: Path, programs: Tools) -> set[tuple[str, str]]:
    """The migrations that the backup's tables are the result of: lines of `id app name applied`."""
    told = subprocess.run(  # noqa: S603
        [programs.program("pg_restore"), "--data-only", "--table=django_migrations", "--file=-", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        raise BackupError(f"{file} cannot be read: {complaint(told.stderr, f'code {told.returncode}')}")
    rows = [line.split("\t") for line in told.stdout.splitlines()]
    return {(row[1], row[2]) for row in rows if len(row) == 4}


def _replay(file: Path, programs: Tools, owner: Database) -> None:
    """All of it in one transaction, which commits only when pg_restore has told everything without an error."""
    command = [
        programs.program("psql"),
        *("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--file=-"),
        f"--dbname={owner.conninfo}",
    ]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(  # noqa: S603
            command, env=owner.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
        ) as server,
    ):
        script = cast("IO[bytes]", server.stdin)
        problem = ""
        try:
            with script:
                script.write(BEFORE.encode())
                problem = _copy(file, programs, script)
                if not problem:
                    script.write(AFTER.encode())
        except BrokenPipeError:
            problem = problem or "psql ended"
        code = server.wait()
        errors.seek(0)
        said = errors.read()
    if problem or code:
        # What the server says is the cause; that the pipe broke is only how it was noticed.
        raise BackupError(f"the backup could not be loaded, the database is as before: {complaint(said, problem)}")


def _copy(file: Path, programs: Tools, script: IO[bytes]) -> str:
    """Pass on the statements that make the backup's database; what went wrong, or an empty text."""
    command = [programs.program("pg_restore"), "--no-owner", "--file=-", str(file)]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as archive,  # noqa: S603
    ):
        told = cast("IO[bytes]", archive.stdout)
        while chunk := told.read(CHUNK_BYTES):
            script.write(chunk)
        if code := archive.wait():
            errors.seek(0)
            return complaint(errors.read(), f"pg_restore ended with code {code}")
    return ""


# Everything of ours in the schema goes, whatever version made it; what extensions brought along stays.
BEFORE = """
BEGIN;
SET LOCAL lock_timeout = '10s';
SET LOCAL client_min_messages = warning;
DO $$
DECLARE statement text; statements text[];
BEGIN
    -- All of them before the first: of what a DROP takes along by CASCADE there is no name to be told afterwards.
    SELECT array_agg(s) INTO statements FROM (
        SELECT format('DROP %s IF EXISTS %s CASCADE',
            CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                ELSE 'TABLE' END,
            c.oid::regclass) AS s
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT c.relispartition
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
            AND d.deptype IN ('e', 'i', 'a'))
        UNION ALL
        SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure)
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
            AND d.deptype = 'e')
    ) q;
    FOREACH statement IN ARRAY coalesce(statements, '{}') LOOP
        EXECUTE statement;
    END LOOP;
END $$;
"""
# Paused in the transaction that brings it, marked where its version has the mark already. What an account was at the
# time of the backup is forgotten: between then and now somebody has acted on its changes, and the catch-up would be an
# event of its own, paid a second time. The first look at an account is no event.
AFTER = """
UPDATE public.accounts_installation
SET epoch = gen_random_uuid(), paused_at = now(), paused_reason = 'This database was restored from a backup.';
DELETE FROM public.executions_heartbeat;
DELETE FROM public.listener_accountstate;
DO $$
BEGIN
    IF EXISTS (SELECT FROM information_schema.columns WHERE table_schema = 'public'
               AND table_name = 'accounts_installation' AND column_name = 'restored_at') THEN
        EXECUTE 'UPDATE public.accounts_installation SET restored_at = now()';
    END IF;
END $$;
COMMIT;
"""
