"""`signers/` with balances."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from executions.balances import balances
from workflows.api.signer import SignerSerializer as SignerRow
from workflows.api.signer import SignerViewSet as SignersWithoutBalance
from workflows.models import Signer


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


class SignerViewSet(SignersWithoutBalance):
    """Keys that pay and sign, with what they have."""

    serializer_class = SignerSerializer
