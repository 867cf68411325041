"""Form fields for what limits are made of: text as people write it, values as workflows.specs takes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from pydantic_core import PydanticCustomError

from chain.types import LAMPORTS_PER_SOL
from workflows.specs.amounts import I64_MAX, parse_lamports
from workflows.specs.texts import spec_error

U64_DIGITS = 20
NOBODY = "none"


class LamportsField(forms.CharField):
    """Lamports from "0.001 SOL" or a whole number of lamports; None when left empty. Shown in SOL, exactly."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return parse_lamports(int(text) if _is_integer(text) else text, low=0, high=I64_MAX)
        except PydanticCustomError as error:
            problem = spec_error("This amount", error.type, text, **(error.context or {}))
            raise forms.ValidationError(problem.detail, code=problem.code) from None

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        sol = f"{Decimal(value) / LAMPORTS_PER_SOL:f}"
        return f"{sol.rstrip('0').rstrip('.') if '.' in sol else sol} SOL"


class TokenLimitsField(forms.CharField):
    """`{mint: base units}` from lines of a mint and a number."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        text: str = super().to_python(value) or ""
        limits: dict[str, int] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            match line.split():
                case []:
                    continue
                case [mint, amount] if _is_integer(amount) and mint not in limits:
                    limits[mint] = int(amount)
                case _:
                    raise forms.ValidationError(
                        f"Line {number} must be a mint, a blank and a whole number of base units; each mint once."
                    )
        return limits

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{mint} {amount}" for mint, amount in value.items()) if isinstance(value, dict) else value


class AddressesField(forms.CharField):
    """A list of addresses from lines; None (any) when left empty, an empty list for "none": not the same at all."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        text: str = super().to_python(value) or ""
        named = text.replace(",", " ").split()
        if not named:
            return None
        return [] if named == [NOBODY] else named

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(value) or NOBODY


def _is_integer(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= U64_DIGITS
