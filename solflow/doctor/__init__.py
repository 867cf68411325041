"""`manage.py doctor`: everything that an event needs, looked at one by one, each trouble with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from chain.errors import ChainError
from executions.gateway import WrongChain
from solflow.doctor import chain, keys, servers, work
from solflow.doctor.findings import Check, Finding, Level

# In the order in which one thing needs another: without the database nobody can say what workers do.
CHECKS: tuple[Check, ...] = (*servers.CHECKS, *keys.CHECKS, *chain.CHECKS, *work.CHECKS)


def examine() -> Iterator[Finding]:
    """Each check's findings as they come. A check that cannot be made is a finding too; none raises."""
    for check in CHECKS:
        try:
            yield from check()
        except (servers.Unreachable, ChainError, WrongChain) as error:
            yield Finding(Level.FAIL, check.__name__, str(error))
        except servers.DRIVER_ERRORS as error:
            # The class alone: messages of drivers hold addresses and passwords.
            found = f"could not be checked ({type(error).__name__})"
            yield Finding(Level.FAIL, check.__name__, found, "mend what failed above first")


__all__ = ["CHECKS", "Finding", "Level", "examine"]
