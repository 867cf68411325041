"""Serializer fields for what the chain's world is made of."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from pydantic_core import PydanticCustomError
from rest_framework import serializers

from workflows.specs.amounts import I64_MAX, parse_lamports
from workflows.specs.fields import is_address
from workflows.specs.texts import spec_error


class AddressField(serializers.CharField):
    """A Solana address in base58."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=44, **options)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if not is_address(text):
            problem = spec_error(self.field_name or "", "not_an_address", text)
            raise serializers.ValidationError(problem.detail, code=problem.code)
        return text


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 0, "maximum": I64_MAX})
class LamportsField(serializers.Field):
    """Lamports out; in, also text with its unit ("0.5 SOL")."""

    def to_internal_value(self, data: Any) -> int:
        try:
            return parse_lamports(data, low=0, high=I64_MAX)
        except PydanticCustomError as error:
            problem = spec_error(self.field_name or "", error.type, data, **(error.context or {}))
            raise serializers.ValidationError(problem.detail, code=problem.code) from None

    def to_representation(self, value: int) -> int:
        return value
