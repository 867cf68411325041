"""Workflows as the document that another installation can import (workflows.specs.exchange)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import Installation, Team
from workflows.checks import settings_of
from workflows.models import AddressList, Idl, Signer, Workflow
from workflows.selectors import channel_list
from workflows.specs.exchange import FORMAT, ids_in
from workflows.specs.settings import dump_settings
from workflows.specs.workflow import readable


def export_of(*, team: Team, workflows: Iterable[Workflow]) -> dict[str, Any]:
    """The team's `workflows` with what they name, as plain JSON values, oldest first. It holds no secret.

    What only this installation knows is left out: ids of workflows, versions before the current one, whether they are
    enabled or paused. What a definition names and the team no longer has is named by its id alone.
    """
    chosen = sorted(workflows, key=lambda workflow: (workflow.created_at, workflow.pk))
    entries = [_entry(workflow) for workflow in chosen]
    named = set(ids_in([[entry["definition"], entry["draft"]] for entry in entries]))
    return {
        "solflow": FORMAT,
        "exported_at": timezone.now().astimezone(UTC).isoformat(timespec="seconds"),
        "network": settings.SOLANA_NETWORK,
        # Empty until the chain was asked for the first time.
        "genesis_hash": Installation.objects.values_list("genesis_hash", flat=True).get(pk=1) or None,
        "workflows": entries,
        "signers": _signers(chosen),
        "channels": [
            {"id": str(row.pk), "name": row.name, "type": row.type}
            for row in channel_list(team=team).filter(pk__in=named).only("name", "type").order_by("name", "id")
        ],
        "address_lists": [_address_list(row) for row in _lists(team, named)],
        "idls": [
            {"id": str(row.pk), "name": row.name, "program_id": row.program_id, "document": row.document}
            for row in Idl.objects.filter(team=team, pk__in=named).order_by("name")
        ],
    }


def _entry(workflow: Workflow) -> dict[str, Any]:
    signer = _signer(workflow)
    return {
        **dump_settings(settings_of(workflow)),
        "signer": str(signer.pk) if signer else None,
        "definition": readable(workflow.version.definition) if workflow.version else None,
        "draft": workflow.draft,
    }


def _signer(workflow: Workflow) -> Signer | None:
    """None too for one that was deleted: nothing can be signed with it."""
    return workflow.signer if workflow.signer and workflow.signer.deleted_at is None else None


def _signers(workflows: Iterable[Workflow]) -> list[dict[str, str]]:
    rows = {signer.pk: signer for signer in map(_signer, workflows) if signer is not None}
    ordered = sorted(rows.values(), key=lambda row: (row.name, row.pk))
    return [{"id": str(row.pk), "name": row.name, "address": row.address} for row in ordered]


def _lists(team: Team, named: set[str]) -> Iterable[AddressList]:
    return AddressList.objects.filter(team=team, pk__in=named).prefetch_related("entries").order_by("name")


def _address_list(row: AddressList) -> dict[str, Any]:
    entries = sorted(row.entries.all(), key=lambda entry: entry.pk)
    return {
        "id": str(row.pk),
        "name": row.name,
        "entries": [{"address": entry.address, "label": entry.label} for entry in entries],
    }
