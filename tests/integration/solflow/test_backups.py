"""Backups that are whole or not there, restores that are whole or did not happen, and what a restored database is."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections, transaction
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor, system
from accounts.errors import Refused
from accounts.models import AuditEntry, Team
from accounts.selectors import installation
from accounts.services import default_team
from executions.models import Heartbeat
from executions.pauses import installation_resume
from solflow import epoch
from tests.environment import POSTGRES

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


@pytest.fixture(autouse=True)
def data_dir(settings: object, tmp_path: Path) -> Path:
    """A data directory of this test's own: others compare the epochs in theirs."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return settings.DATA_DIR


@pytest.fixture
def actor() -> Actor:
    return system(default_team(), "test")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A backup in which there is one team."""
    call_command("backup", str(tmp_path / "saved"), verbosity=0)
    return tmp_path / "saved"


@pytest.fixture
def as_owner() -> Iterator[psycopg.Connection]:
    """A connection that may change tables."""
    with psycopg.connect(POSTGRES.owner_url, autocommit=True) as owner:
        yield owner


def test_a_restore_brings_back_what_was_and_starts_paused(saved: Path, data_dir: Path, actor: Actor) -> None:
    """Rows of afterwards are gone; nothing is signed, and the pause cannot be lifted before the chain was asked."""
    before = installation().epoch
    epoch.check()
    Team.objects.create(name="made after the backup")

    call_command("restore", str(saved))

    assert Team.objects.count() == 1
    row = installation()
    assert row.restored_at is not None
    assert "reconcile --after-restore" in row.paused_reason
    assert row.epoch != before
    assert (data_dir / "epoch").read_text().strip() == str(row.epoch)
    assert epoch.check()
    with pytest.raises(Refused):
        installation_resume(actor=actor)
    assert AuditEntry.objects.filter(action="paused", actor="system:restore").exists()


def test_a_restored_database_serves_the_application_as_before(saved: Path, actor: Actor) -> None:
    """Rights, sequences and the triggers that protect the audit log."""
    call_command("restore", str(saved))
    Team.objects.create(name="new")

    with transaction.atomic():
        entry = audit.record(actor, "tested", "team", 1)
    with pytest.raises(DatabaseError, match="append_only"):
        AuditEntry.objects.filter(pk=entry.pk).update(action="forged")


def test_a_backup_is_for_its_owner_only_and_replaces_nothing_unasked(saved: Path) -> None:
    """Sealed keys and password hashes are in it."""
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    before = saved.read_bytes()

    with pytest.raises(CommandError, match="exists already; --force replaces it"):
        call_command("backup", str(saved))
    assert saved.read_bytes() == before
    call_command("backup", str(saved), "--force")

    assert [path.name for path in saved.parent.iterdir() if path.is_file()] == ["saved"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """The folder does not exist."""
    with pytest.raises(CommandError, match=r"nowhere cannot be written \(No such file or directory\)"):
        call_command("backup", str(tmp_path / "nowhere" / "saved"))


@pytest.mark.parametrize("kind", ["worker", "listener"])
def test_a_database_in_use_is_not_replaced(kind: str, saved: Path) -> None:
    """Whoever works on it would go on with what it remembers."""
    Heartbeat.objects.create(name=f"{kind}@here", kind=kind, at=timezone.now())

    with pytest.raises(CommandError, match=f"the {kind} {kind}@here was seen in the last 30 s: stop SolFlow first"):
        call_command("restore", str(saved))
    assert installation().restored_at is None
    call_command("restore", str(saved), "--force")

    assert not Heartbeat.objects.exists()


def test_a_damaged_backup_leaves_the_database_as_it_was(saved: Path) -> None:
    """It ends in the middle: nothing of it is loaded."""
    Team.objects.create(name="made after the backup")
    content = saved.read_bytes()
    saved.write_bytes(content[: len(content) * 9 // 10])

    with pytest.raises(CommandError) as refused:
        call_command("restore", str(saved))

    assert len(str(refused.value).splitlines()) == 1
    assert Team.objects.count() == 2
    assert installation().restored_at is None


@pytest.mark.parametrize("content", [b"", b"hello", b"PGDMP" + b"\x00" * 200])
def test_a_file_that_is_no_backup_is_one_line(content: bytes, tmp_path: Path) -> None:
    """And nothing happens."""
    (tmp_path / "saved").write_bytes(content)

    with pytest.raises(CommandError, match="cannot be read as a backup"):
        call_command("restore", str(tmp_path / "saved"))

    assert installation().restored_at is None


def test_a_backup_of_a_newer_version_is_refused(as_owner: psycopg.Connection, tmp_path: Path) -> None:
    """This version would not know its tables."""
    as_owner.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('accounts', '9999_later', now())")
    try:
        call_command("backup", str(tmp_path / "saved"))
    finally:
        as_owner.execute("DELETE FROM django_migrations WHERE name = '9999_later'")

    with pytest.raises(CommandError, match=r"newer version of SolFlow \(it has accounts 9999_later\): update"):
        call_command("restore", str(tmp_path / "saved"))

    assert installation().restored_at is None


def test_a_backup_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its tables have no mark for a restore yet, and no seals of the audit log."""
    connections.close_all()
    call_command("migrate", "accounts", "0002", verbosity=0, skip_checks=True)
    try:
        call_command("backup", str(tmp_path / "saved"))
        call_command("restore", str(tmp_path / "saved"))
    finally:
        call_command("migrate", verbosity=0, skip_checks=True)

    row = installation()
    assert row.restored_at is not None
    assert row.paused_at is not None


def test_the_first_start_keeps_the_epoch_and_another_database_is_noticed(data_dir: Path) -> None:
    """Paused once, and said once: the directory then knows the database that it has."""
    assert epoch.check()
    assert stat.S_IMODE((data_dir / "epoch").stat().st_mode) == 0o600
    assert epoch.check()
    assert installation().paused_at is None

    (data_dir / "epoch").write_text("0b0f7f0c-5f0e-4a55-8a3b-0d4f9f6c0001\n")

    assert not epoch.check()
    row = installation()
    assert row.restored_at is not None
    assert row.paused_at is not None
    assert epoch.check()
    assert AuditEntry.objects.filter(action="paused").count() == 1


def test_a_damaged_epoch_file_counts_as_another_database(data_dir: Path) -> None:
    """Pausing for nothing is cheaper than paying twice."""
    (data_dir / "epoch").write_text("not an epoch")
    assert not epoch.check()
    assert installation().restored_at is not None


def test_without_a_data_directory_nothing_is_compared(data_dir: Path) -> None:
    """A worker in a container of its own keeps nothing."""
    data_dir.rmdir()
    assert epoch.check()
    assert installation().paused_at is None
