"""`signers/`: what signs. A key, or a backend's config, comes in once; no answer holds a secret of it. executions.api
adds pause and balances."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import StrictSerializer, TeamViewSet
from workflows.api.fields import AddressField, LamportsField
from workflows.models import Signer
from workflows.selectors import signer_get, signer_list
from workflows.services import signer_create, signer_delete, signer_update
from workflows.specs.signer_backends import BACKENDS, LOCAL


class SignerSerializer(serializers.ModelSerializer):
    config = serializers.DictField(read_only=True, help_text="The backend's, secrets masked; {} for a local key.")

    class Meta:
        model = Signer
        fields = (
            "id",
            "name",
            "address",
            "backend",
            "config",
            "max_lamports_per_day",
            "paused_at",
            "paused_reason",
            "created_at",
        )
        read_only_fields = fields


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "description": "base58"},
            {
                "type": "array",
                "items": {"type": "integer", "minimum": 0, "maximum": 255},
                "minItems": 64,
                "maxItems": 64,
            },
        ],
        "writeOnly": True,
    }
)
class SecretKeyField(serializers.Field):
    """Text or a list of numbers, handed on unread to chain.tx.signers, whose errors repeat nothing of it."""

    def to_internal_value(self, data: Any) -> str | list[int]:
        if not isinstance(data, str | list):
            raise serializers.ValidationError("must be base58 text or an array of 64 numbers", code="wrong_type")
        return data


class SignerChange(StrictSerializer):
    unchangeable: tuple[str, ...] = ("address", "backend")

    name = serializers.CharField(max_length=200)
    max_lamports_per_day = LamportsField(required=False, allow_null=True, help_text="null: no limit")
    config = serializers.JSONField(
        required=False, help_text="Where a backend keeps the key: what it needs (docs/signers.md), always whole."
    )


class NewSigner(SignerChange):
    secret_key = SecretKeyField(required=False, help_text="A local key. Without it one is generated.")
    backend = serializers.CharField(required=False, max_length=20, help_text=f"One of: {', '.join((LOCAL, *BACKENDS))}")
    address = AddressField(required=False, help_text="Of the key that the backend keeps.")


class SignerViewSet(TeamViewSet):
    """Keys that pay and sign."""

    serializer_class: type[serializers.Serializer] = SignerSerializer
    may_conflict = ("create", "destroy")

    def get_queryset(self) -> QuerySet[Signer]:
        return Signer.objects.none() if getattr(self, "swagger_fake_view", False) else signer_list(team=self.team)

    def signer(self, pk: UUID) -> Signer:
        return signer_get(team=self.team, signer_id=pk)

    def list(self, request: Request) -> Response:
        return self.listed(self.get_queryset())

    @extend_schema(request=NewSigner)
    def create(self, request: Request) -> Response:
        """Import a key, generate one, or name one that a backend keeps. With an `Idempotency-Key`, once."""
        given = self.body(NewSigner)
        return self.answer_once(
            request, status.HTTP_201_CREATED, lambda: self.shown(signer_create(actor=self.actor, **given))
        )

    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self.shown(self.signer(pk)))

    @extend_schema(request=SignerChange)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change the name, the backend's config, or the daily limit, which holds for all that is not signed yet."""
        signer = self.signer(pk)
        changes = self.body(SignerChange, partial=True, row=signer)
        return Response(self.shown(signer_update(actor=self.actor, signer=signer, changes=changes)))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Soft. Refused while an enabled workflow signs with it."""
        signer_delete(actor=self.actor, signer=self.signer(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
