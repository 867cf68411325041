"""`address-lists/`: named addresses, which filters look in and which are shown as labels everywhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import StrictSerializer, TeamViewSet
from workflows.api.fields import AddressField
from workflows.models import AddressList
from workflows.selectors import address_list_get, address_list_list
from workflows.services import address_list_create, address_list_delete, address_list_update
from workflows.specs.exchange import MAX_ENTRIES


class EntrySerializer(StrictSerializer):
    address = AddressField()
    label = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")


class AddressListRow(serializers.ModelSerializer):
    size = serializers.IntegerField(read_only=True, help_text="How many addresses it has.")

    class Meta:
        model = AddressList
        fields = ("id", "name", "size", "version", "created_at", "updated_at")
        read_only_fields = fields


class AddressListSerializer(AddressListRow):
    entries = EntrySerializer(many=True, read_only=True)

    class Meta(AddressListRow.Meta):
        fields = (*AddressListRow.Meta.fields, "entries")  # type: ignore[assignment]
        read_only_fields = fields


class AddressListChange(StrictSerializer):
    name = serializers.CharField(max_length=200)
    entries = EntrySerializer(many=True, max_length=MAX_ENTRIES)

    def validate_entries(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        addresses = [entry["address"] for entry in entries]
        if len(set(addresses)) < len(addresses):
            raise serializers.ValidationError("names an address twice", code="repeated")
        return entries


class AddressListViewSet(TeamViewSet):
    """Named lists of addresses with labels."""

    serializer_class = AddressListSerializer
    may_conflict = ("create", "update", "partial_update", "destroy")

    def get_queryset(self) -> QuerySet[AddressList]:
        if getattr(self, "swagger_fake_view", False):
            return AddressList.objects.none()
        return address_list_list(team=self.team)

    def address_list(self, pk: UUID) -> AddressList:
        return address_list_get(team=self.team, list_id=pk)

    @extend_schema(responses=AddressListRow(many=True))
    def list(self, request: Request) -> Response:
        """Without the entries, which can be many."""
        return self.listed(self.get_queryset(), lambda page: AddressListRow(page, many=True).data)

    @extend_schema(request=AddressListChange)
    def create(self, request: Request) -> Response:
        """Make a list. With an `Idempotency-Key`, once."""
        given = self.body(AddressListChange)
        return self.answer_once(
            request, status.HTTP_201_CREATED, lambda: self.shown(address_list_create(actor=self.actor, **given))
        )

    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self.shown(self.address_list(pk)))

    @extend_schema(request=AddressListChange)
    def update(self, request: Request, pk: UUID, partial: bool = False) -> Response:
        """Entries that are given replace all that there were."""
        address_list = self.address_list(pk)
        changes = self.body(AddressListChange, partial=partial, row=address_list)
        return Response(self.shown(address_list_update(actor=self.actor, address_list=address_list, changes=changes)))

    @extend_schema(request=AddressListChange)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Entries that are given replace all that there were."""
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Refused while the filter of an enabled workflow looks in it."""
        address_list_delete(actor=self.actor, address_list=self.address_list(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
