"""What the team calls the addresses that a page shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from accounts.models import Team
from workflows.selectors import address_labels
from workflows.specs.fields import is_address

SHORTEST, LONGEST = 32, 44
# A page shows no more; a document may hold more.
MOST_ASKED = 500


def labels_in(*, team: Team, values: Iterable[Any]) -> dict[str, str]:
    """The labels of the addresses in these texts and JSON documents, by address: one query, none without addresses."""
    found: set[str] = set()
    for text in _texts(values):
        if SHORTEST <= len(text) <= LONGEST and text not in found and is_address(text):
            found.add(text)
            if len(found) == MOST_ASKED:
                break
    return address_labels(team=team, addresses=found) if found else {}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, Iterable):
        for member in value:
            yield from _texts(member)
