"""The programs of stored IDLs: a document is parsed once after each change, not once for each workflow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog

from chain.decode.idl import InvalidIdl, parse_idl
from listener.program_events import Emitter
from workflows import models

log = structlog.get_logger(__name__)

# Replaced whole entry by entry, so both of the listener's database threads may use it.
_parsed: dict[str, tuple[datetime, Emitter | None]] = {}


def load(idl_ids: Iterable[str]) -> dict[str, Emitter | None]:
    """What the IDLs describe as they are now, by id; None for one that cannot be read, nothing for one that is gone.

    An IDL that did not change since it was last asked for is the same object, so that it compares by identity.
    """
    wanted = set(idl_ids)
    if not wanted:
        return {}
    changed_at = {str(pk): at for pk, at in models.Idl.objects.filter(pk__in=wanted).values_list("pk", "updated_at")}
    stale = [pk for pk, at in changed_at.items() if pk not in _parsed or _parsed[pk][0] != at]
    for row in models.Idl.objects.filter(pk__in=stale):
        _parsed[str(row.pk)] = (row.updated_at, _parse(row))
    return {pk: _parsed[pk][1] for pk in changed_at if pk in _parsed}


def _parse(row: models.Idl) -> Emitter | None:
    try:
        return Emitter(parse_idl(row.document, row.program_id))
    except InvalidIdl as error:
        # Its events go unseen, which somebody has to learn; the other workflows must not suffer for it.
        log.error("idl_unreadable", idl=str(row.pk), problem=str(error))
        return None
