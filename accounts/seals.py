"""The chain over the audit log: whoever changes, removes or inserts an entry behind its back breaks a seal.

An entry's canonical text is a JSON array (see docs/audit.md); its digest is the SHA-256 of that. A seal lists the ids
of entries in their order, holds a digest for each, and

    hash = SHA-256(previous seal's hash, newline, digests joined by newlines), in hex; 64 zeros before the first

Ids commit out of order, so a seal is a list and not a range: it takes what was committed and in no seal yet. Writers of
entries never wait for it. All of it is computed by the database, from what it has stored; the application's role can
only say which entries are next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection, transaction

log = structlog.get_logger(__name__)

ENTRIES_A_SEAL = 5_000
FIRST = "0" * 64
# One sealer at a time; any number, as long as nobody else uses it.
LOCK = 24225  # known to the database's function too

_TAKE = """
WITH next AS (
    DELETE FROM accounts_auditunsealed WHERE entry_id IN (
        SELECT entry_id FROM accounts_auditunsealed ORDER BY entry_id LIMIT %s)
    RETURNING entry_id
)
INSERT INTO accounts_auditseal (entry_ids) SELECT array_agg(entry_id ORDER BY entry_id) FROM next HAVING count(*) > 0
RETURNING id, hash, cardinality(entry_ids)
"""
# The first entry of a seal that is not what was sealed; NULL where all are.
_CHECK = """
SELECT s.id, s.previous, s.hash,
    encode(sha256(convert_to(s.previous || E'\\n' || array_to_string(s.digests, E'\\n'), 'UTF8')), 'hex'),
    (SELECT u.id FROM unnest(s.entry_ids, s.digests) WITH ORDINALITY u(id, digest, n)
     LEFT JOIN accounts_auditentry e ON e.id = u.id
     WHERE e.id IS NULL OR accounts_audit_digest(e) IS DISTINCT FROM u.digest ORDER BY u.n LIMIT 1),
    cardinality(s.entry_ids)
FROM accounts_auditseal s ORDER BY s.id
"""
_UNSEALED = """
SELECT e.id, w.entry_id IS NOT NULL FROM accounts_auditentry e
LEFT JOIN accounts_auditunsealed w ON w.entry_id = e.id
WHERE e.id NOT IN (SELECT unnest(entry_ids) FROM accounts_auditseal) ORDER BY e.id
"""
_EXPORT = """
SELECT s.id, s.previous, s.hash, u.id, u.digest, accounts_audit_canonical(e)
FROM accounts_auditseal s, unnest(s.entry_ids, s.digests) WITH ORDINALITY u(id, digest, n)
LEFT JOIN accounts_auditentry e ON e.id = u.id ORDER BY s.id, u.n
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`problem` names the first thing that is wrong; empty when all is well. `waiting` entries are in no seal yet."""

    seals: int
    entries: int
    head: str
    waiting: int
    problem: str = ""


def seal() -> int:
    """Seal what is committed and in no seal yet; returns how many entries. 0 while somebody else is at it."""
    sealed = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                return sealed
            cursor.execute(_TAKE, [ENTRIES_A_SEAL])
            made = cursor.fetchone()
        if made is None:
            return sealed
        seal_id, head, count = made
        sealed += count
        # Beside the database, so that a chain whose end was cut off shows.
        log.info("audit_sealed", seal=seal_id, head=head, entries=count)


def verify() -> Verdict:
    """Every seal against the entries as they are now, the chain from its beginning, and what no seal holds."""
    head, seals, entries = FIRST, 0, 0
    with connection.cursor() as cursor:
        cursor.execute(_CHECK)
        for seal_id, previous, stored, computed, bad_entry, count in cursor:
            problem = _problem(seal_id, previous == head, stored == computed, bad_entry)
            if problem:
                return Verdict(seals, entries, head, 0, problem)
            head, seals, entries = stored, seals + 1, entries + count
        cursor.execute(_UNSEALED)
        unsealed = cursor.fetchall()
    stray = next((entry_id for entry_id, waits in unsealed if not waits), None)
    problem = "" if stray is None else f"entry {stray} is in no seal and does not wait for one: a seal was removed"
    return Verdict(seals, entries, head, sum(waits for _, waits in unsealed), problem)


def export() -> Iterator[dict[str, Any]]:
    """Every sealed entry with its seal, for somebody who has no access to the database (docs/audit.md)."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPORT)
        for seal_id, previous, head, entry_id, digest, canonical in cursor:
            yield {
                "seal": seal_id,
                "previous": previous,
                "hash": head,
                "entry": entry_id,
                "digest": digest,
                "canonical": canonical,
            }


def _problem(seal_id: int, follows: bool, agrees: bool, bad_entry: int | None) -> str:
    if bad_entry is not None:
        return f"entry {bad_entry} is not what seal {seal_id} sealed: it was changed or removed"
    if not agrees:
        return f"seal {seal_id} was changed"
    return "" if follows else f"seal {seal_id} does not follow the one before it: a seal was removed or changed"
