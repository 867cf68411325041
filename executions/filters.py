"""How lists of executions are narrowed, for the API and the pages alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters.fields import IsoDateTimeField, MultipleChoiceField

from accounts import keyset
from executions.models import Delivery, Execution, ExecutionKey
from executions.search import MIN_PREFIX, found_by_signature, found_by_text
from executions.states import DeliveryStatus, Status


class MomentField(IsoDateTimeField):
    """A time in UTC: PostgreSQL refuses offsets of 16 hours and more."""

    default_error_messages = {"invalid": "must be a time in ISO 8601, such as 2026-11-29T20:00:00Z"}

    def clean(self, value: Any) -> datetime | None:
        given: datetime | None = super().clean(value)
        try:
            return None if given is None else given.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError("must be a time between the years 1 and 9999, in UTC", code="invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


def _one_of(choices: Iterable[str]) -> dict[str, str]:
    return {"invalid_choice": f'("%(value)s") must be one of: {", ".join(choices)}'}


_AN_ID = {"invalid": "must be an id, a UUID"}


class StatusesField(MultipleChoiceField):
    """Any of them; one that is empty, as a form sends what was not chosen, is none."""

    def to_python(self, value: Any) -> list[str]:
        return [one for one in super().to_python(value) if one]


class StatusesFilter(django_filters.MultipleChoiceFilter):
    field_class = StatusesField


def newest_shown(cursor: str | None, created_before: str | None = None) -> datetime | None:
    """Before which time all is that a page of a list shows; None where nothing bounds it, or the bound is malformed."""
    try:
        if created_before:
            return MomentField().clean(created_before)
        if cursor:
            is_older, (created_at, _) = keyset.read(cursor, Execution, keyset.NEWEST_FIRST)
            return created_at if is_older else None
    except (ValidationError, keyset.BadCursor):
        pass
    return None


class ExecutionFilter(django_filters.FilterSet):
    workflow = django_filters.UUIDFilter(field_name="workflow_id", error_messages=_AN_ID)
    status = StatusesFilter(
        choices=[(status.value, status.value) for status in Status],
        error_messages=_one_of(Status),
        # A row has one status: nothing comes twice, and looking for what does would sort the whole history.
        distinct=False,
        help_text="May be given more than once.",
    )
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
    signature = django_filters.CharFilter(
        method="by_signature", max_length=88, help_text="Of a transaction that it sent, or that its event came from."
    )
    search = django_filters.CharFilter(
        method="by_text",
        max_length=200,
        help_text="An id, a signature, or the event's account, each whole or by its first characters"
        f" ({MIN_PREFIX} or more), or a part of the workflow's name.",
    )

    class Meta:
        model = Execution
        fields = ("workflow", "status", "created_after", "created_before", "signature", "search")

    def by_signature(self, rows: QuerySet[Execution], name: str, signature: str) -> QuerySet[Execution]:
        return found_by_signature(rows, signature)

    def by_text(self, rows: QuerySet[Execution], name: str, text: str) -> QuerySet[Execution]:
        return found_by_text(rows, text)


class DeliveryFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(
        choices=[(status.value, status.value) for status in DeliveryStatus], error_messages=_one_of(DeliveryStatus)
    )
    channel = django_filters.UUIDFilter(field_name="channel_id", error_messages=_AN_ID)
    outcome = django_filters.CharFilter(max_length=10)
    execution = django_filters.CharFilter(method="by_execution", max_length=64, help_text="An execution_id.")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields = ("status", "channel", "outcome", "execution", "created_after", "created_before")

    def by_execution(self, rows: QuerySet[Delivery], name: str, execution_id: str) -> QuerySet[Delivery]:
        return rows.filter(execution_id__in=ExecutionKey.objects.filter(execution_id=execution_id).values("id"))
