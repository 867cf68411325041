"""Which rows of a team stand for those that an export names: the same id, else the same name. Reads only.

An id that the team has is that row, whatever it is called by now: an export comes home. From elsewhere names decide, of
a signer its address before its name. Names of signers and channels are not unique, and nobody guesses which is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db.models import Model

from accounts.models import Team
from workflows.models import Channel, Signer
from workflows.selectors import address_list_list, channel_list, idl_list, signer_list
from workflows.specs.errors import SpecError
from workflows.specs.exchange import Export, ExportedChannel, ExportedSigner, NamedRow
from workflows.specs.texts import shown

Row = TypeVar("Row", bound=Model)
Given = TypeVar("Given", bound=NamedRow)


@dataclass(frozen=True, slots=True)
class Counterparts:
    """`ids` leads from those of the export to the team's; `absent` are those of lists and IDLs that the team lacks."""

    ids: dict[str, str] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    problems: list[SpecError] = field(default_factory=list)


def counterparts_of(*, team: Team, export: Export, used: Collection[str]) -> Counterparts:
    """Those of the rows whose ids are `used`. A signer or channel without one, or with several, is a problem."""
    found = Counterparts()
    signers, channels = signer_list(team=team), channel_list(team=team).defer("sealed", "sealed_key")
    _match(found, "signers", _used(export.signers, used), list(signers), _signers_alike)
    _match(found, "channels", _used(export.channels, used), list(channels), _channels_alike)
    lists, idls = list(address_list_list(team=team)), list(idl_list(team=team))
    _match(
        found,
        "address_lists",
        _used(export.address_lists, used),
        lists,
        lambda given, there: [row for row in there if row.name == given.name],
    )
    _match(
        found,
        "idls",
        _used(export.idls, used),
        idls,
        lambda given, there: [row for row in there if (row.name, row.program_id) == (given.name, given.program_id)],
    )
    return found


def _used(rows: Iterable[Given], used: Collection[str]) -> list[tuple[int, Given]]:
    return [(index, row) for index, row in enumerate(rows) if row.id in used]


def _match(
    found: Counterparts,
    kind: str,
    rows: Iterable[tuple[int, Given]],
    there: Sequence[Row],
    alike: Callable[[Given, Sequence[Row]], list[Row]],
) -> None:
    for index, given in rows:
        candidates = [row for row in there if str(row.pk) == given.id] or alike(given, there)
        if len(candidates) == 1:
            found.ids[given.id] = str(candidates[0].pk)
        elif candidates or kind in ("signers", "channels"):
            found.problems.append(_problem(f"{kind}[{index}]", given, len(candidates)))
        else:
            found.absent.add(given.id)


def _signers_alike(given: ExportedSigner, there: Sequence[Signer]) -> list[Signer]:
    same_key = [row for row in there if row.address == given.address]
    return same_key or [row for row in there if row.name == given.name]


def _channels_alike(given: ExportedChannel, there: Sequence[Channel]) -> list[Channel]:
    return [row for row in there if (row.name, row.type) == (given.name, given.type)]


def _problem(path: str, given: NamedRow, candidates: int) -> SpecError:
    what = f"{given.type} channel" if isinstance(given, ExportedChannel) else "signer"
    name = f"{path} ({shown(given.name)})"
    if candidates:
        detail = f"{name}: this team has {candidates} {what}s of that name; rename all but the one that is meant."
        return SpecError(path, "ambiguous", detail)
    return SpecError(path, "not_found", f"{name}: this team has no {what} of that name; make it first.")
