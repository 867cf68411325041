"""Money as people write it, to integers in base units: exact or refused, never through a float. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import PlainValidator, WithJsonSchema

from workflows.specs.texts import refusal
from workflows.templating import TemplateError, check_amount, is_template

U64_MAX = 2**64 - 1
I64_MAX = 2**63 - 1  # what a bigint column holds; limits are compared there
SOL_DECIMALS = 9
MAX: Literal["max"] = "max"
ACTION_ROOTS = ("event", "workflow", "execution")  # there is no transaction yet when an action is rendered

_NUMERAL = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,255}))?")
_LAMPORTS_TEXT = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,255}))? ?(sol|lamports?)", re.IGNORECASE | re.ASCII)


class AmountError(ValueError):
    """The amount cannot be expressed in the mint's base units, exactly and within 64 bits."""


def parse_lamports(value: object, *, low: int = 1, high: int = U64_MAX) -> int:
    """Lamports from a whole number or text with its unit ("0.001 SOL", "5000 lamports"); refuses everything else."""
    lamports = _lamports_of(value)
    if not low <= lamports <= high:
        raise refusal("amount_out_of_range", low=low, high=high)
    return lamports


def parse_tokens(value: object, *, low: int = 1) -> int | str:
    """Base units as an integer; whole tokens ("12.5") as canonical text, because only the mint knows its decimals."""
    if isinstance(value, float):
        raise refusal("float_amount", example='like "12.5" for whole tokens')
    if isinstance(value, int) and not isinstance(value, bool):
        if not low <= value <= U64_MAX:
            raise refusal("amount_out_of_range", low=low, high=U64_MAX)
        return value
    found = _NUMERAL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise refusal("not_tokens")
    whole, fraction = found.group(1).lstrip("0") or "0", (found.group(2) or "").rstrip("0")
    if int(whole) > U64_MAX or (whole == "0" and not fraction and low > 0):
        raise refusal("amount_out_of_range", low=low, high=U64_MAX)
    return f"{whole}.{fraction}" if fraction else whole


def resolve_tokens(amount: int | str, decimals: int) -> int:
    """Base units of a parsed amount for a mint with so many decimals; raises `AmountError` when not exact."""
    if isinstance(amount, int):
        return amount
    found = _NUMERAL.fullmatch(amount)
    if found is None:
        raise AmountError("not an amount of tokens")
    whole, fraction = found.group(1), found.group(2) or ""
    if len(fraction) > decimals:
        raise AmountError(f"{amount} is finer than the {decimals} decimals of its mint")
    units = int(whole + fraction.ljust(decimals, "0"))
    if units > U64_MAX:
        raise AmountError(f"{amount} tokens are more than 64 bits of base units")
    return units


def parse_signed_lamports(value: str) -> int | None:
    """A difference of lamports from text with its unit ("-0.5 SOL"), or None when the text is not exactly one."""
    sign, magnitude = (-1, value[1:]) if value.startswith("-") else (1, value)
    found = _LAMPORTS_TEXT.fullmatch(magnitude)
    lamports = None if found is None else _in_lamports(found)
    return None if lamports is None else sign * lamports


def _lamports_of(value: object) -> int:
    if isinstance(value, float):
        raise refusal("float_amount", example='like "0.001 SOL"')
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise refusal("not_lamports")
    found = _LAMPORTS_TEXT.fullmatch(value)
    if found is None:
        raise refusal("unit_missing") if _NUMERAL.fullmatch(value) else refusal("not_lamports")
    lamports = _in_lamports(found)
    if lamports is None:
        raise refusal("too_precise")
    return lamports


def _in_lamports(found: re.Match[str]) -> int | None:
    """Whole lamports of a number with its unit; None when it is finer than a lamport."""
    decimals = SOL_DECIMALS if found.group(3).lower() == "sol" else 0
    fraction = (found.group(2) or "").rstrip("0")
    return None if len(fraction) > decimals else int(found.group(1) + fraction.ljust(decimals, "0"))


def _lamports_or_more(value: object) -> int | str:
    """Lamports of an action: also "max", and a template."""
    return value if isinstance(value, str) and _is_open(value) else parse_lamports(value)


def _tokens_or_more(value: object) -> int | str:
    return value if isinstance(value, str) and _is_open(value) else parse_tokens(value)


def _is_open(value: str) -> bool:
    if value == MAX:
        return True
    if not is_template(value):
        return False
    try:
        check_amount(value, ACTION_ROOTS)
    except TemplateError as error:
        raise refusal("bad_template", why=str(error)) from None
    return True


_SOL_TEXT_SCHEMA = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,9})? ?([Ss][Oo][Ll]|lamports?)$"}
_TEMPLATE_SCHEMA = {"type": "string", "pattern": r"\{\{"}


def _schema(description: str, *forms: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": list(forms), "description": description})


def _integer_schema(low: int, high: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high}


_TOKEN_TEXT_SCHEMA = {"type": "string", "pattern": r"^[0-9]{1,20}(\.[0-9]{1,255})?$"}

Lamports = Annotated[
    int,
    PlainValidator(parse_lamports),
    _schema('Lamports, or text such as "0.001 SOL"', _integer_schema(1, U64_MAX), _SOL_TEXT_SCHEMA),
]
LimitLamports = Annotated[
    int,
    PlainValidator(lambda value: parse_lamports(value, low=0, high=I64_MAX)),
    _schema('Lamports, or text such as "0.001 SOL"', _integer_schema(0, I64_MAX), _SOL_TEXT_SCHEMA),
]
KeptLamports = Annotated[
    int,
    PlainValidator(lambda value: parse_lamports(value, low=0)),
    _schema("Lamports that stay behind", _integer_schema(0, U64_MAX), _SOL_TEXT_SCHEMA),
]
TokenAmount = Annotated[
    int | str,
    PlainValidator(parse_tokens),
    _schema('Base units, or whole tokens as text such as "12.5"', _integer_schema(1, U64_MAX), _TOKEN_TEXT_SCHEMA),
]
KeptTokens = Annotated[
    int | str,
    PlainValidator(lambda value: parse_tokens(value, low=0)),
    _schema("Tokens that stay behind", _integer_schema(0, U64_MAX), _TOKEN_TEXT_SCHEMA),
]
ActionLamports = Annotated[
    int | str,
    PlainValidator(_lamports_or_more),
    _schema(
        'Lamports, text such as "0.001 SOL", "max", or a template',
        _integer_schema(1, U64_MAX),
        _SOL_TEXT_SCHEMA,
        {"const": MAX},
        _TEMPLATE_SCHEMA,
    ),
]
ActionTokens = Annotated[
    int | str,
    PlainValidator(_tokens_or_more),
    _schema(
        'Base units, whole tokens as text such as "12.5", "max", or a template',
        _integer_schema(1, U64_MAX),
        _TOKEN_TEXT_SCHEMA,
        {"const": MAX},
        _TEMPLATE_SCHEMA,
    ),
]
