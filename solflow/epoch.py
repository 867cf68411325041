"""Is this the database that the data directory knows? Each database has an epoch, and the directory keeps it.

They differ when another database was put in this one's place: an older copy under a directory that has seen
`manage.py restore`, or the copy of another installation. Then everything is paused until the chain was asked what this
database has forgotten. (A copy with the same epoch shows itself by its payments: executions.memo_watch.)
"""

from __future__ import annotations

import uuid
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction

from accounts.actors import system
from accounts.models import Installation
from accounts.selectors import installation
from accounts.services import default_team
from executions.pauses import installation_restored
from solflow.generated import write_private

log = structlog.get_logger(__name__)

FILE = "epoch"
REASON = "This is not the database that was used here before: it looks restored."


def check(directory: Path | None = None) -> bool:
    """Compare; True when they agree. A directory that keeps no epoch yet takes the database's.

    Where they differ everything is paused, and the directory takes the database's epoch, so that it is said once.
    Nothing is compared where there is no data directory.
    """
    directory = directory or settings.DATA_DIR
    if not directory.is_dir():
        return True
    file = directory / FILE
    known = kept(file)
    epoch = installation().epoch
    if known == epoch:
        return True
    if known is not None:
        if installation().restored_at is None:
            installation_restored(actor=system(default_team(), "start"), reason=REASON)
        log.error("database_restored", epoch=str(epoch), known=str(known))
    write_private(file, f"{epoch}\n")
    return known is None


def kept(file: Path) -> uuid.UUID | None:
    """The epoch in the file; None where there is no file. What cannot be read as one is no epoch that exists."""
    try:
        return uuid.UUID(file.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None
    except ValueError:
        return uuid.UUID(int=0)


def begin_anew(directory: Path, reason: str) -> None:
    """A backup has been loaded: mark it, pause everything, and begin an epoch in which no other copy is this database.

    The file comes last. A crash before it leaves a directory that knows another epoch, so the next start marks it.
    """
    fresh = uuid.uuid4()
    with transaction.atomic():
        Installation.objects.filter(pk=1).update(epoch=fresh)
        installation_restored(actor=system(default_team(), "restore"), reason=reason)
    if directory.is_dir():
        write_private(directory / FILE, f"{fresh}\n")
