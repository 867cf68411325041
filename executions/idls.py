"""Stored IDLs as this process uses them: parsed once, and never older than the row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from accounts.models import Team
from chain.decode.idl import Idl, InvalidIdl, parse_idl
from workflows.models import Idl as Row

# A large document is a few milliseconds to parse and a few megabytes parsed.
CACHED_IDLS = 64


def load_idl(idl_id: str, *, team: Team | None = None) -> Idl | None:
    """The IDL as it is stored now; None where there is none, or not `team`'s. One small query, whether it is known
    already or not.

    Raises InvalidIdl where the stored document cannot be used.
    """
    # Whatever writes a document writes `updated_at`: a parsed one is right for as long as that stands.
    rows = Row.objects.filter(pk=idl_id) if team is None else Row.objects.filter(pk=idl_id, team=team)
    written_at = rows.values_list("updated_at", flat=True).first()
    return None if written_at is None else _parsed(idl_id, written_at)


def load_usable(idl_ids: Iterable[str]) -> dict[str, Idl]:
    """By program id those of them that exist and can be used: for explaining errors, where none is a reason to fail."""
    found: dict[str, Idl] = {}
    for idl_id in idl_ids:
        try:
            idl = load_idl(idl_id)
        except InvalidIdl:
            continue
        if idl is not None:
            found[idl.program_id] = idl
    return found


@lru_cache(CACHED_IDLS)
def _parsed(idl_id: str, written_at: datetime) -> Idl | None:
    # Read anew, so it may be newer than `written_at`; then nobody asks for this entry again.
    row = Row.objects.filter(pk=idl_id).values_list("document", "program_id").first()
    return None if row is None else parse_idl(*row)
