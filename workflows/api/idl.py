"""`idls/`: Anchor IDLs, by which events are decoded and instructions encoded."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import StrictSerializer, TeamViewSet
from workflows.api.fields import AddressField
from workflows.models import Idl
from workflows.selectors import idl_get, idl_list
from workflows.services import idl_create, idl_delete, idl_update


class IdlRow(serializers.ModelSerializer):
    class Meta:
        model = Idl
        fields = ("id", "name", "program_id", "created_at", "updated_at")
        read_only_fields = fields


class IdlSerializer(IdlRow):
    document = serializers.DictField(read_only=True)

    class Meta(IdlRow.Meta):
        fields = (*IdlRow.Meta.fields, "document")  # type: ignore[assignment]
        read_only_fields = fields


class IdlChange(StrictSerializer):
    name = serializers.CharField(max_length=200)
    program_id = AddressField(required=False, help_text="May be left out where the document names its program.")
    document = serializers.DictField(help_text="An Anchor IDL, of Anchor 0.30 or older.")


class IdlViewSet(TeamViewSet):
    """Anchor IDLs."""

    serializer_class = IdlSerializer
    may_conflict = ("create", "update", "partial_update", "destroy")

    def get_queryset(self) -> QuerySet[Idl]:
        return Idl.objects.none() if getattr(self, "swagger_fake_view", False) else idl_list(team=self.team)

    def idl(self, pk: UUID) -> Idl:
        return idl_get(team=self.team, idl_id=pk)

    @extend_schema(responses=IdlRow(many=True))
    def list(self, request: Request) -> Response:
        """Without the documents, which are large."""
        return self.listed(self.get_queryset(), lambda page: IdlRow(page, many=True).data)

    @extend_schema(request=IdlChange)
    def create(self, request: Request) -> Response:
        """Store an IDL. With an `Idempotency-Key`, once."""
        given = self.body(IdlChange)
        return self.answer_once(
            request, status.HTTP_201_CREATED, lambda: self.shown(idl_create(actor=self.actor, **given))
        )

    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self.shown(self.idl(pk)))

    @extend_schema(request=IdlChange)
    def update(self, request: Request, pk: UUID, partial: bool = False) -> Response:
        idl = self.idl(pk)
        changes = self.body(IdlChange, partial=partial, row=idl)
        return Response(self.shown(idl_update(actor=self.actor, idl=idl, changes=changes)))

    @extend_schema(request=IdlChange)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        return self.update(request, pk, partial=True)

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Refused while an enabled workflow uses it."""
        idl_delete(actor=self.actor, idl=self.idl(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
