"""`signers/` with balances and `pause/`."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import ReasonSerializer
from executions.api.pause import MayStillLandField
from executions.balances import balances
from executions.pauses import may_still_land
from workflows.api.signer import SignerSerializer as SignerRow
from workflows.api.signer import SignerViewSet as SignersWithoutBalance
from workflows.models import Signer
from workflows.services import signer_pause, signer_resume


class SignerListSerializer(serializers.ListSerializer):
    """Asks for the balances of a whole page at once."""

    def to_representation(self, data: Any) -> list[Any]:
        signers = list(data)
        cast(Any, self.child).balances = balances().of([signer.address for signer in signers])
        return super().to_representation(signers)


class SignerSerializer(SignerRow):
    balance_lamports = serializers.SerializerMethodField(
        help_text="Confirmed, a few seconds old at most; null when the chain does not answer."
    )

    class Meta(SignerRow.Meta):
        fields = (*SignerRow.Meta.fields, "balance_lamports")  # type: ignore[assignment]
        read_only_fields = fields
        list_serializer_class = SignerListSerializer

    balances: dict[str, int | None] | None = None

    @extend_schema_field({"type": "integer", "format": "int64", "nullable": True, "minimum": 0})
    def get_balance_lamports(self, signer: Signer) -> int | None:
        known = self.balances if self.balances is not None else balances().of([signer.address])
        return known[signer.address]


class PausedSignerSerializer(SignerSerializer):
    may_still_land = MayStillLandField()

    class Meta(SignerSerializer.Meta):
        fields = (*SignerSerializer.Meta.fields, "may_still_land")  # type: ignore[assignment]
        read_only_fields = fields


class SignerViewSet(SignersWithoutBalance):
    """Keys that pay and sign, with what they have."""

    serializer_class = SignerSerializer
    operator_actions = ("pause", "resume")

    @extend_schema(request=ReasonSerializer, responses={200: PausedSignerSerializer})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: UUID) -> Response:
        """When this returns, nothing more is signed with it and nothing is sent for the first time."""
        reason = self.body(ReasonSerializer)["reason"]
        signer = signer_pause(actor=self.actor, signer=self.signer(pk), reason=reason)
        return Response({**self.shown(signer), "may_still_land": may_still_land(signer=signer)})

    @extend_schema(request=None)
    @pause.mapping.delete
    def resume(self, request: Request, pk: UUID) -> Response:
        """Lift the pause; what waited runs."""
        return Response(self.shown(signer_resume(actor=self.actor, signer=self.signer(pk))))
