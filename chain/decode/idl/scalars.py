"""Single values between JSON and bytes: numbers, booleans, texts, addresses, bytes.

In JSON an integer of up to 64 bits is a number, a longer one decimal text (few clients keep its digits), bytes are
base64, addresses base58, and a float that is no number is "NaN", "Infinity" or "-Infinity".
"""

from __future__ import annotations

import base64
import json
import math
import re
import struct
from typing import Any

from solders.pubkey import Pubkey

from chain.decode.idl.types import Float, Integer

PUBKEY_BYTES = 32
EXACT_BITS = 64

_NUMERAL = re.compile(r"-?[0-9]{1,78}")
_DECIMAL = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,4})?")
_NO_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_FORMATS = {32: "<f", 64: "<d"}
_SHOWN_CHARACTERS = 40


class Unfit(ValueError):
    """A value that its type cannot take, in words: what is allowed, and what came. Stays inside the codec."""

    def __init__(self, allowed: str, value: object) -> None:
        super().__init__(f"must be {allowed}, not {shown(value)}")


def shown(value: object) -> str:
    """The value as JSON, shortened; an object or a list only by name."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def integer_to_bytes(kind: Integer, value: object) -> bytes:
    """From a whole number or its decimal text. Raises Unfit: floats and booleans are never integers."""
    number = value if type(value) is int else None
    if isinstance(value, str) and _NUMERAL.fullmatch(value):
        number = int(value)
    if number is None or not kind.low <= number <= kind.high:
        raise Unfit(f"a whole number from {kind.low} to {kind.high} ({kind.name})", value)
    return number.to_bytes(kind.bits // 8, "little", signed=kind.signed)


def integer_from_bytes(kind: Integer, data: bytes) -> int | str:
    """A number, or decimal text where the type has more than 64 bits, whatever the value."""
    number = int.from_bytes(data, "little", signed=kind.signed)
    return number if kind.bits <= EXACT_BITS else str(number)


def float_to_bytes(kind: Float, value: object) -> bytes:
    """From a number or its decimal text. Raises Unfit, also where the type cannot reach the number."""
    number: float | None = None
    try:
        if isinstance(value, str):
            number = _NO_NUMBERS.get(value)
            if number is None and _DECIMAL.fullmatch(value):
                number = float(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            number = float(value)
        if number is not None:
            return struct.pack(_FORMATS[kind.bits], number)
    except OverflowError:
        pass
    raise Unfit(f"a number (f{kind.bits})", value)


def float_from_bytes(kind: Float, data: bytes) -> float | str:
    """A number, or the word for one that JSON has not."""
    number: float = struct.unpack(_FORMATS[kind.bits], data)[0]
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def bool_to_bytes(value: object) -> bytes:
    """From true or false, or those words. Raises Unfit."""
    if value is True or value == "true":
        return b"\x01"
    if value is False or value == "false":
        return b"\x00"
    raise Unfit("true or false", value)


def pubkey_to_bytes(value: object) -> bytes:
    """From base58. Raises Unfit."""
    if isinstance(value, str):
        try:
            return bytes(Pubkey.from_string(value))
        except ValueError:
            pass
    raise Unfit("an address: 32 bytes in base58", value)


def text_to_bytes(value: object) -> bytes:
    """UTF-8, without a length. Raises Unfit."""
    if not isinstance(value, str):
        raise Unfit("text", value)
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise Unfit("text without half surrogate pairs", value) from error


def raw_to_bytes(value: Any) -> bytes:
    """From base64, or a list of numbers from 0 to 255. Raises Unfit."""
    if isinstance(value, list) and all(type(one) is int and 0 <= one <= 255 for one in value):
        return bytes(value)
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:  # binascii.Error is one; text that is not ASCII another
            pass
    raise Unfit("bytes: base64, or a list of numbers from 0 to 255", value)


def raw_from_bytes(data: bytes) -> str:
    return base64.b64encode(data).decode()
