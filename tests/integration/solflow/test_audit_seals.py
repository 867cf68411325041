"""Nobody rewrites the audit log: the database refuses the application, and the seals show what a superuser did."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts import audit, seals
from accounts.actors import Actor, system
from accounts.models import AuditEntry, AuditSeal, AuditUnsealed
from accounts.services import default_team
from tests.environment import POSTGRES, SECRETS
from tests.services import DATABASE, SUPERUSER

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def actor() -> Actor:
    return system(default_team(), "test")


@pytest.fixture
def superuser() -> Iterator[psycopg.Connection]:
    """Somebody who can switch triggers off."""
    url = POSTGRES.url(SUPERUSER, SECRETS.postgres_superuser_password, DATABASE)
    with psycopg.connect(url, autocommit=True) as found:
        found.execute("SET session_replication_role = replica")
        yield found


def write(actor: Actor, *names: str) -> list[int]:
    ids = []
    for name in names:
        with transaction.atomic():
            ids.append(audit.record(actor, "tested", "test", name, target_name=name, at_height=7).pk)
    return ids


def verified() -> str:
    out = StringIO()
    call_command("verify_audit_log", stdout=out)
    return out.getvalue()


def test_what_was_committed_is_sealed_once_and_in_order(actor: Actor) -> None:
    first = write(actor, "a", "b")
    assert seals.seal() == 2
    second = write(actor, "c")
    assert seals.seal() == 1
    assert seals.seal() == 0
    one, two = AuditSeal.objects.order_by("id")
    assert (one.entry_ids, two.entry_ids) == (first, second)
    assert (one.previous, two.previous) == (seals.FIRST, one.hash)
    assert not AuditUnsealed.objects.exists()
    write(actor, "d")
    assert f"3 entries in 2 seals are what was written; head {two.hash}\n1 newer" in verified()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditentry SET actor = 'nobody'",
        "DELETE FROM accounts_auditentry",
        "TRUNCATE accounts_auditentry",
        "INSERT INTO accounts_auditentry (id, actor, action, target_type, target_id, target_name, detail)"
        " VALUES (1, 'a', 'b', 'c', 'd', '', '{}')",
        "INSERT INTO accounts_auditentry (id, actor, action, target_type, target_id, target_name, detail)"
        " OVERRIDING SYSTEM VALUE VALUES (999999999, 'a', 'b', 'c', 'd', '', '{}')",
        "INSERT INTO accounts_auditentry (at, actor, action, target_type, target_id, target_name, detail)"
        " VALUES ('2020-01-01', 'a', 'b', 'c', 'd', '', '{}')",
        "UPDATE accounts_auditseal SET hash = ''",
        "DELETE FROM accounts_auditseal",
        "TRUNCATE accounts_auditseal",
        "INSERT INTO accounts_auditseal (entry_ids, hash) VALUES ('{1}', 'mine')",
        "INSERT INTO accounts_auditseal (entry_ids, previous) VALUES ('{1}', 'mine')",
        "INSERT INTO accounts_auditseal (entry_ids, digests) VALUES ('{1}', '{mine}')",
        "INSERT INTO accounts_auditseal (entry_ids) VALUES ('{999999999}')",
        "INSERT INTO accounts_auditseal (entry_ids) VALUES ('{}')",
        "ALTER TABLE accounts_auditentry DISABLE TRIGGER ALL",
        "DROP TRIGGER pgtrigger_append_only_ed234 ON accounts_auditseal",
        "DROP TABLE accounts_auditentry CASCADE",
        "CREATE OR REPLACE FUNCTION accounts_audit_digest(e accounts_auditentry) RETURNS text LANGUAGE sql"
        " AS $$ SELECT 'x' $$",
    ],
)
def test_the_applications_role_can_only_add(actor: Actor, statement: str) -> None:
    write(actor, "a")
    seals.seal()
    before = list(AuditEntry.objects.values_list()), list(AuditSeal.objects.values_list())
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (list(AuditEntry.objects.values_list()), list(AuditSeal.objects.values_list())) == before


def test_a_changed_entry_is_named(actor: Actor, superuser: psycopg.Connection) -> None:
    _, wrong, _ = write(actor, "a", "b", "c")
    seals.seal()
    superuser.execute("UPDATE accounts_auditentry SET actor = 'somebody else' WHERE id = %s", [wrong])
    with pytest.raises(CommandError, match=f"entry {wrong} is not what seal"):
        verified()


def test_a_removed_entry_is_named(actor: Actor, superuser: psycopg.Connection) -> None:
    gone, _ = write(actor, "a", "b")
    seals.seal()
    superuser.execute("DELETE FROM accounts_auditentry WHERE id = %s", [gone])
    with pytest.raises(CommandError, match=f"entry {gone} is not what seal"):
        verified()


def test_an_entry_smuggled_in_is_named(actor: Actor, superuser: psycopg.Connection) -> None:
    write(actor, "a")
    seals.seal()
    superuser.execute(
        "INSERT INTO accounts_auditentry (id, at, actor, action, target_type, target_id, target_name, detail)"
        " VALUES (0, now(), 'a', 'b', 'c', 'd', '', '{}')"
    )
    with pytest.raises(CommandError, match="entry 0 is in no seal"):
        verified()


def test_a_seal_that_was_removed_or_changed_shows(actor: Actor, superuser: psycopg.Connection) -> None:
    for name in "abc":
        write(actor, name)
        seals.seal()
    first, second, third = AuditSeal.objects.order_by("id")
    superuser.execute("UPDATE accounts_auditseal SET hash = repeat('1', 64) WHERE id = %s", [third.id])
    with pytest.raises(CommandError, match=f"seal {third.id} was changed"):
        verified()
    superuser.execute("DELETE FROM accounts_auditseal WHERE id = %s", [second.id])
    with pytest.raises(CommandError, match=f"seal {third.id} "):
        verified()
    superuser.execute("DELETE FROM accounts_auditseal WHERE id = %s", [third.id])
    with pytest.raises(CommandError, match=f"entry {second.entry_ids[0]} is in no seal"):
        verified()
    assert first.entry_ids


def test_fifty_writers_lose_nothing_while_it_is_sealed(actor: Actor) -> None:
    def writer(number: int) -> None:
        try:
            write(actor, *(f"{number}.{n}" for n in range(10)))
        finally:
            connection.close()

    def sealer() -> int:
        try:
            return sum(seals.seal() for _ in range(40))
        finally:
            connection.close()

    with ThreadPoolExecutor(52) as threads:
        sealing = [threads.submit(sealer) for _ in range(2)]
        list(threads.map(writer, range(50)))
        sealed = sum(future.result() for future in sealing)
    sealed += seals.seal()
    assert sealed == AuditEntry.objects.count() == 500
    assert sum(len(one.entry_ids) for one in AuditSeal.objects.all()) == 500
    assert "500 entries" in verified()


def test_a_writer_that_is_not_done_keeps_nobody_waiting_and_is_sealed_later(actor: Actor) -> None:
    def another() -> int:
        try:
            write(actor, "later id, earlier commit")
            return seals.seal()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        audit.record(actor, "tested", "test", "slow")
        assert threads.submit(another).result(20) == 1
    assert seals.seal() == 1
    assert "2 entries in 2 seals" in verified()


def test_an_outsider_verifies_the_export(actor: Actor) -> None:
    write(actor, "a", "b")
    seals.seal()
    write(actor, "c")
    seals.seal()
    head, digests, last = seals.FIRST, list[str](), None
    lines: list[dict[str, Any]] = list(seals.export())
    for line in [*lines, None]:
        if last is not None and (line is None or line["seal"] != last["seal"]):
            head = hashlib.sha256("\n".join([head, *digests]).encode()).hexdigest()
            assert head == last["hash"]
            digests = []
        if line is not None:
            digests.append(hashlib.sha256(line["canonical"].encode()).hexdigest())
            assert digests[-1] == line["digest"]
        last = line
    assert lines[0]["seal"] < lines[-1]["seal"]
