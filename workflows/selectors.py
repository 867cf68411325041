"""Readers of workflows and what they use. Each takes the team: what belongs to another one is Missing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Count, Model, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from accounts.errors import Missing
from accounts.models import Team
from workflows.drafting.cards import ordered
from workflows.drafting.paths import Document
from workflows.models import AddressEntry, AddressList, Channel, Idl, Signer, WebhookSecret, Workflow, WorkflowVersion

_CHANNEL_USAGE = """
SELECT (notification->>'channel')::uuid, count(DISTINCT w.id)
FROM workflows_workflow w JOIN workflows_workflowversion v ON v.id = w.version_id,
    jsonb_array_elements(v.definition->'notifications') notification
WHERE w.team_id = %(team)s AND w.deleted_at IS NULL GROUP BY 1
"""

Row = TypeVar("Row", bound=Model)


def workflow_list(*, team: Team) -> QuerySet[Workflow]:
    """The team's workflows with their current version and schedule, newest first."""
    rows = Workflow.objects.filter(team=team, deleted_at=None).select_related("version", "schedule")
    return rows.order_by("-created_at", "-id")


def workflow_get(*, team: Team, workflow_id: UUID) -> Workflow:
    return _one(workflow_list(team=team), workflow_id, "workflow")


def workflow_find(*, team: Team, named: str) -> Workflow:
    """By id or by name, as people name it in a command. Missing where there is none or more than one."""
    return _named(workflow_list(team=team), named, Q(name=named), "workflow")


def workflow_versions(*, workflow: Workflow) -> QuerySet[WorkflowVersion]:
    """Everything that was ever live, newest first."""
    return workflow.versions.order_by("-created_at", "-id")


def workflow_version(*, workflow: Workflow, number: int) -> WorkflowVersion | None:
    """One of them by its number; None where there is no such."""
    return workflow.versions.filter(number=number).first()


def workflow_document(*, workflow: Workflow) -> Document:
    """What the builder shows: the draft, or else a copy of what is live; its keys in the order of the specs."""
    live = workflow.version.definition if workflow.version is not None else {}
    return ordered(workflow.draft if isinstance(workflow.draft, dict) else live)


def workflows_naming(*, team: Team, row_id: UUID) -> QuerySet[Workflow]:
    """Workflows whose definition names this channel, list or IDL."""
    definition = Cast("version__definition", TextField())
    return workflow_list(team=team).alias(text=definition).filter(text__contains=str(row_id))


def workflows_enabled_naming(*, team: Team, row_id: UUID) -> QuerySet[Workflow]:
    """Those of them that are enabled."""
    return workflows_naming(team=team, row_id=row_id).filter(enabled=True)


def webhook_secrets_valid(*, workflow: Workflow, auth: str) -> QuerySet[WebhookSecret]:
    """Those by which a sender may prove itself now, newest first."""
    valid = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return WebhookSecret.objects.filter(valid, workflow=workflow, auth=auth).order_by("-created_at")


def signer_list(*, team: Team) -> QuerySet[Signer]:
    return Signer.objects.filter(team=team, deleted_at=None).order_by("-created_at", "-id")


def signer_get(*, team: Team, signer_id: UUID) -> Signer:
    return _one(signer_list(team=team), signer_id, "signer")


def signer_find(*, team: Team, named: str) -> Signer:
    """By id, name or address, as people name it in a command. Missing where there is none or more than one."""
    return _named(signer_list(team=team), named, Q(name=named) | Q(address=named), "signer")


def channel_list(*, team: Team) -> QuerySet[Channel]:
    return Channel.objects.filter(team=team, deleted_at=None).order_by("-created_at", "-id")


def channel_get(*, team: Team, channel_id: UUID) -> Channel:
    return _one(channel_list(team=team), channel_id, "channel")


def channels_by_id(*, team: Team) -> dict[str, Channel]:
    """The team's channels by their id as definitions name it."""
    return {str(channel.pk): channel for channel in channel_list(team=team).defer("sealed", "sealed_key")}


def channel_usage(*, team: Team) -> dict[UUID, int]:
    """How many of the team's workflows name each channel, by its id."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANNEL_USAGE, {"team": team.pk})
        return dict(cursor.fetchall())


def address_list_list(*, team: Team) -> QuerySet[AddressList]:
    """The team's lists with `size`, how many addresses each has."""
    lists = AddressList.objects.filter(team=team)
    return lists.annotate(size=Count("entries")).order_by("-created_at", "-id")


def address_list_get(*, team: Team, list_id: UUID) -> AddressList:
    return _one(address_list_list(team=team).prefetch_related("entries"), list_id, "address list")


def address_list_find(*, team: Team, list_id: UUID) -> AddressList:
    """As `address_list_get`, without its entries, which may be thousands."""
    return _one(address_list_list(team=team), list_id, "address list")


def with_usage(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Address lists or IDLs, each with `used_by`: how many workflows name it in what is live."""
    naming = (
        Workflow.objects.filter(team=OuterRef("team"), deleted_at=None)
        .annotate(text=Cast("version__definition", TextField()))
        .filter(text__contains=Cast(OuterRef("pk"), TextField()))
        .order_by()
        .values("team")
        .annotate(count=Count("pk"))
    )
    used: QuerySet[Any] = rows.annotate(used_by=Coalesce(Subquery(naming.values("count")), 0))
    return used


def address_labels(*, team: Team, addresses: Collection[str]) -> dict[str, str]:
    """What the team calls these addresses: their label, or else the list that they are in."""
    entries = AddressEntry.objects.filter(list__team=team, address__in=addresses).select_related("list")
    return {entry.address: entry.label or f"in {entry.list.name}" for entry in entries.order_by("label", "list__name")}


def idl_list(*, team: Team) -> QuerySet[Idl]:
    """Without the documents, which are large."""
    return Idl.objects.filter(team=team).defer("document").order_by("-created_at", "-id")


def idl_get(*, team: Team, idl_id: UUID) -> Idl:
    return _one(Idl.objects.filter(team=team), idl_id, "IDL")


def _named(rows: QuerySet[Row], named: str, known_as: Q, what: str) -> Row:
    try:
        wanted = known_as | Q(pk=UUID(named))
    except ValueError:
        wanted = known_as
    found = list(rows.filter(wanted)[:2])
    if not found:
        raise Missing(f"there is no {what} {named!r}")
    if len(found) > 1:
        raise Missing(f"more than one {what} is named {named!r}: give its id")
    return found[0]


def _one(rows: QuerySet[Row], row_id: UUID, what: str) -> Row:
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise Missing(f"there is no such {what}")
    return row
