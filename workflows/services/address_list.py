"""The only writers of address lists. A change of the entries makes a new version of the list."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Missing, Refused
from workflows.models import AddressEntry, AddressList
from workflows.selectors import address_list_get, workflows_enabled_naming
from workflows.services.changes import differences, refusing_duplicates, write
from workflows.specs.exchange import MAX_ENTRIES

NAME_IS_UNIQUE = "one_list_of_a_name"
# The entry of the audit log names no more addresses than one reads.
MOST_AUDITED = 100

Entry = Mapping[str, str]


def address_list_create(*, actor: Actor, name: str, entries: Sequence[Entry] = ()) -> AddressList:
    """A list of `{"address", "label"}`; addresses are valid and each there once.

    Raises:
        Refused: the team has a list of that name.
    """
    with refusing_duplicates(NAME_IS_UNIQUE, f"there is an address list {name} already"):
        address_list = AddressList.objects.create(team=actor.team, name=name)
        _insert(address_list, entries)
        audit.record(
            actor, "address_list_created", "address_list", address_list.id, target_name=name, size=len(entries)
        )
    return address_list_get(team=actor.team, list_id=address_list.id)


def address_list_update(*, actor: Actor, address_list: AddressList, changes: Mapping[str, Any]) -> AddressList:
    """Change `name`, or replace all `entries`.

    Raises:
        Refused: the team has a list of that name.
    """
    name = changes.get("name", address_list.name)
    with refusing_duplicates(NAME_IS_UNIQUE, f"there is an address list {name} already"):
        locked = _lock(address_list)
        changed = differences(locked, {"name": name})
        if "entries" in changes and _labels(changes["entries"]) != dict(locked.entries.values_list("address", "label")):
            changed["entries"] = _replace(locked, changes["entries"])
        if changed:
            write(locked, {"name": name}, also=["updated_at"])
            audit.record(
                actor,
                "address_list_updated",
                "address_list",
                locked.id,
                target_name=locked.name,
                changed=changed,
            )
    return address_list_get(team=actor.team, list_id=address_list.id)


def _labels(entries: Sequence[Entry]) -> dict[str, str]:
    return {entry["address"]: entry.get("label", "") for entry in entries}


class Amended(NamedTuple):
    """What came of each entry that was given."""

    added: int
    relabelled: int
    unchanged: int
    removed: int


@transaction.atomic
def address_list_amend(
    *, actor: Actor, address_list: AddressList, put: Sequence[Entry] = (), drop: Collection[str] = ()
) -> Amended:
    """Add `put` to the list, with their labels where an address is in it already, and take `drop` out.

    What others change at the same time stays. A list in which nothing changes keeps its version.

    Raises:
        Refused: it would hold more than MAX_ENTRIES.
    """
    locked = _lock(address_list)
    known = dict(locked.entries.values_list("address", "label"))
    new = [entry for entry in put if entry["address"] not in known]
    other = [entry for entry in put if entry.get("label", "") not in ("", known.get(entry["address"], ""))]
    renamed = [entry for entry in other if entry["address"] in known]
    removed = sorted(known.keys() & set(drop))
    if len(known) + len(new) - len(removed) > MAX_ENTRIES:
        raise Refused(f"a list holds {MAX_ENTRIES:,} addresses; this would have more", code="too_many")
    if new or renamed or removed:
        locked.entries.filter(address__in=[*removed, *(entry["address"] for entry in renamed)]).delete()
        _insert(locked, [*new, *renamed])
        AddressList.objects.filter(pk=locked.pk).update(version=F("version") + 1, updated_at=timezone.now())
        changed = {
            "added": [entry["address"] for entry in new][:MOST_AUDITED],
            "renamed": [entry["address"] for entry in renamed][:MOST_AUDITED],
            "removed": removed[:MOST_AUDITED],
            "size": len(known) + len(new) - len(removed),
        }
        audit.record(
            actor,
            "address_list_updated",
            "address_list",
            locked.id,
            target_name=locked.name,
            changed={"entries": changed},
        )
    return Amended(len(new), len(renamed), len(put) - len(new) - len(renamed), len(removed))


@transaction.atomic
def address_list_delete(*, actor: Actor, address_list: AddressList) -> None:
    """Raises Refused while the filter of an enabled workflow asks for it: the condition would turn false unseen."""
    locked = _lock(address_list)
    using = list(workflows_enabled_naming(team=actor.team, row_id=locked.id).values_list("name", flat=True)[:5])
    if using:
        raise Refused(f"enabled workflows look in it: {', '.join(using)}", code="address_list_in_use")
    audit.record(actor, "address_list_deleted", "address_list", locked.id, target_name=locked.name)
    locked.delete()


def _replace(address_list: AddressList, entries: Sequence[Entry]) -> dict[str, Any]:
    before = set(address_list.entries.values_list("address", flat=True))
    address_list.entries.all().delete()
    _insert(address_list, entries)
    AddressList.objects.filter(pk=address_list.pk).update(version=F("version") + 1)
    after = {entry["address"] for entry in entries}
    return {
        "added": sorted(after - before)[:MOST_AUDITED],
        "removed": sorted(before - after)[:MOST_AUDITED],
        "size": len(after),
    }


def _insert(address_list: AddressList, entries: Sequence[Entry]) -> None:
    AddressEntry.objects.bulk_create(
        [AddressEntry(list=address_list, address=entry["address"], label=entry.get("label", "")) for entry in entries],
        batch_size=1000,
    )


def _lock(address_list: AddressList) -> AddressList:
    locked = AddressList.objects.select_for_update().filter(pk=address_list.pk).first()
    if locked is None:
        raise Missing("there is no such address list")
    return locked
