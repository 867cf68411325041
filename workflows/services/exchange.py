"""Workflows made after others: those of an export, all or none of them, and duplicates. None is enabled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.actors import Actor
from accounts.errors import Invalid, Refused
from accounts.models import Installation
from workflows.checks import settings_of
from workflows.counterparts import Counterparts, counterparts_of
from workflows.errors import invalid
from workflows.models import AddressList, Idl, Workflow
from workflows.selectors import workflow_list
from workflows.services.address_list import address_list_create
from workflows.services.idl import idl_create
from workflows.services.workflow import workflow_create
from workflows.specs.documents import MAX_ERRORS
from workflows.specs.errors import SpecError, SpecErrors
from workflows.specs.exchange import BESIDE_SETTINGS, Export, ids_in, parse_export, read_export, with_ids
from workflows.specs.names import free_name
from workflows.specs.settings import dump_settings

NOT_THE_SAME = "the accounts, mints and programs that it names may be others here, or not be there at all"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made: the workflows in the order of the document, what the team had not of what they name, and
    what should be looked at before any of them is enabled."""

    workflows: tuple[Workflow, ...]
    address_lists: tuple[AddressList, ...]
    idls: tuple[Idl, ...]
    warnings: tuple[str, ...]


@transaction.atomic
def workflows_import(*, actor: Actor, document: Any, from_other_network: bool = False) -> Imported:
    """Make every workflow of an export (its bytes, or their plain JSON values), none of them enabled, or nothing.
    What was exported on another network is made only if that is said to be meant: `from_other_network`.

    Nothing that exists is changed. A name that a workflow has already gets a number: `pay (2)`.

    Raises:
        Invalid: no export; one of another network (`other_network`); signers and channels that the team has not or that
            more than one row could be; whatever workflow_create refuses. Every problem with its path
            (`workflows[2].definition.actions[0].lamports`).
    """
    export = _parsed(document)
    warnings = _network_warnings(export, is_meant=from_other_network)
    found = counterparts_of(team=actor.team, export=export, used=_used(export))
    if found.problems:
        raise invalid(found.problems)
    problems: list[SpecError] = []
    lists, idls = _make_absent(actor, export, found, problems)
    # Without them the workflows would be refused as well, for naming what is not there.
    workflows = [] if problems else _make_workflows(actor, export, found.ids, problems)
    if problems:
        raise invalid(problems[:MAX_ERRORS])
    audit.record(
        actor,
        "workflows_imported",
        "team",
        actor.team.pk,
        target_name=actor.team.name,
        workflows=len(workflows),
        address_lists=[row.name for row in lists],
        idls=[row.name for row in idls],
    )
    return Imported(tuple(workflows), tuple(lists), tuple(idls), tuple(warnings))


def workflow_duplicate(*, actor: Actor, workflow: Workflow) -> Workflow:
    """Another workflow that wants the same, not enabled, without executions and versions of before.

    Raises:
        Invalid: its definition names something that was deleted since.
    """
    definition = workflow.version.definition if workflow.version else None
    settings = {**dump_settings(settings_of(workflow)), "name": free_name(workflow.name, _names(actor))}
    return workflow_create(
        actor=actor, definition=definition, settings=settings, signer_id=workflow.signer_id, draft=workflow.draft
    )


def _parsed(document: Any) -> Export:
    try:
        return read_export(document) if isinstance(document, bytes) else parse_export(document)
    except SpecErrors as error:
        problems = error.errors
    # Outside of the handler: what it caught leads to the whole document.
    raise invalid(problems)


def _network_warnings(export: Export, *, is_meant: bool) -> list[str]:
    """What is to be said of where the document comes from: accounts, mints and programs of one network are others on
    another one, or not there. A file that does not say where it comes from is taken as it is."""
    ours = Installation.objects.get(pk=1)
    if export.network and export.network != settings.SOLANA_NETWORK:
        told = f"was exported on {export.network}, this installation is on {settings.SOLANA_NETWORK}: {NOT_THE_SAME}"
        if not is_meant:
            raise invalid([SpecError("network", "other_network", told)])
        return [f"What is imported {told}"]
    # A local chain that was begun anew has its old name.
    if export.genesis_hash and ours.genesis_hash and export.genesis_hash != ours.genesis_hash:
        return [f"What is imported was exported on another chain that is called {export.network} too: {NOT_THE_SAME}"]
    return []


def _used(export: Export) -> set[str]:
    """The ids of everything that the workflows name."""
    return {row_id for entry in export.workflows for key in BESIDE_SETTINGS for row_id in ids_in(entry.get(key))}


def _make_absent(
    actor: Actor, export: Export, found: Counterparts, problems: list[SpecError]
) -> tuple[list[AddressList], list[Idl]]:
    """Make the lists and IDLs that the team lacks, and remember their ids in `found`."""
    lists: list[AddressList] = []
    idls: list[Idl] = []
    for index, given in enumerate(export.address_lists):
        if given.id in found.absent:
            with _collecting(problems, f"address_lists[{index}]"):
                entries = [{"address": entry.address, "label": entry.label} for entry in given.entries]
                lists.append(address_list_create(actor=actor, name=given.name, entries=entries))
                found.ids[given.id] = str(lists[-1].pk)
    for index, idl in enumerate(export.idls):
        if idl.id in found.absent:
            with _collecting(problems, f"idls[{index}]"):
                idls.append(idl_create(actor=actor, name=idl.name, document=idl.document, program_id=idl.program_id))
                found.ids[idl.id] = str(idls[-1].pk)
    return lists, idls


def _make_workflows(actor: Actor, export: Export, ids: Mapping[str, str], problems: list[SpecError]) -> list[Workflow]:
    taken = _names(actor)
    made: list[Workflow] = []
    for index, entry in enumerate(export.workflows):
        settings = {key: value for key, value in entry.items() if key not in BESIDE_SETTINGS}
        if isinstance(settings.get("name"), str):
            settings["name"] = free_name(settings["name"], taken)
        definition, draft, signer = (with_ids(entry.get(key), ids) for key in BESIDE_SETTINGS)
        with _collecting(problems, f"workflows[{index}]"):
            made.append(
                workflow_create(actor=actor, definition=definition, settings=settings, signer_id=signer, draft=draft)
            )
            taken.add(made[-1].name)
        if len(problems) >= MAX_ERRORS:
            break
    return made


def _names(actor: Actor) -> set[str]:
    return set(workflow_list(team=actor.team).values_list("name", flat=True))


@contextmanager
def _collecting(problems: list[SpecError], place: str) -> Iterator[None]:
    """What is refused within is a problem at its place, and what comes after is still tried, to tell of all at once."""
    try:
        yield
    except Invalid as error:
        found = SpecErrors(SpecError(one.path, one.code, one.detail) for one in error.errors)
        problems += found.under(place).errors
    except Refused as error:
        problems.append(SpecError(place, error.code, error.detail))
