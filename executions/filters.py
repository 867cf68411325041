"""How lists of executions are narrowed, for the API and the pages alike."""

from __future__ import annotations

import re

import django_filters
from django.db.models import Q, QuerySet

from executions.models import Attempt, Delivery, Execution, ExecutionKey
from executions.states import DeliveryStatus, Status

# Shorter beginnings of an id would be a search through everything.
MIN_ID_PREFIX = 6
HEX = re.compile(r"[0-9a-f]{1,64}")
BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,88}")
LONGEST_ADDRESS = 44


class ExecutionFilter(django_filters.FilterSet):
    workflow = django_filters.UUIDFilter(field_name="workflow_id")
    status = django_filters.MultipleChoiceFilter(
        choices=[(status.value, status.value) for status in Status], help_text="May be given more than once."
    )
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    signature = django_filters.CharFilter(
        method="by_signature", max_length=88, help_text="Of a transaction that it sent, or that its event came from."
    )
    search = django_filters.CharFilter(
        method="by_text",
        max_length=200,
        help_text=f"An id or its first characters ({MIN_ID_PREFIX} or more), a signature, the event's account, or a"
        " part of the workflow's name.",
    )

    class Meta:
        model = Execution
        fields = ("workflow", "status", "created_after", "created_before", "signature", "search")

    def by_signature(self, rows: QuerySet[Execution], name: str, signature: str) -> QuerySet[Execution]:
        return rows.filter(_of_signature(signature))

    def by_text(self, rows: QuerySet[Execution], name: str, text: str) -> QuerySet[Execution]:
        text = text.strip()
        found = Q(workflow__name__icontains=text)
        if len(text) >= MIN_ID_PREFIX and HEX.fullmatch(text):
            keys = ExecutionKey.objects.filter(execution_id__startswith=text)
            found |= Q(id__in=keys.values("id"))
        if BASE58.fullmatch(text):
            found |= Q(event__account=text) if len(text) <= LONGEST_ADDRESS else _of_signature(text)
        return rows.filter(found)


def _of_signature(signature: str) -> Q:
    sent = Attempt.objects.filter(signature=signature).values("execution_id")
    return Q(id__in=sent) | Q(event__signature=signature)


class DeliveryFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=[(status.value, status.value) for status in DeliveryStatus])
    channel = django_filters.UUIDFilter(field_name="channel_id")
    outcome = django_filters.CharFilter(max_length=10)
    execution = django_filters.CharFilter(method="by_execution", max_length=64, help_text="An execution_id.")
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields = ("status", "channel", "outcome", "execution", "created_after", "created_before")

    def by_execution(self, rows: QuerySet[Delivery], name: str, execution_id: str) -> QuerySet[Delivery]:
        return rows.filter(execution_id__in=ExecutionKey.objects.filter(execution_id=execution_id).values("id"))
