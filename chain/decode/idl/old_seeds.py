"""Constant seeds as IDLs before 0.30 write them: a type and a value. Since then they are bytes."""

from __future__ import annotations

from typing import Any

from solders.pubkey import Pubkey

from chain.decode.idl.model import ConstSeed, Seed, UnknownSeed
from chain.decode.idl.type_parsing import parse_type
from chain.decode.idl.types import Integer, Plain


def const_seed(written_type: Any, value: Any, path: str) -> Seed:
    """Its bytes, as `find_program_address` takes them: texts without their length, integers little-endian."""
    match parse_type(written_type, path):
        case Integer() as integer if type(value) is int and integer.low <= value <= integer.high:
            return ConstSeed(value.to_bytes(integer.bits // 8, "little", signed=integer.signed))
        case Plain.STRING if isinstance(value, str):
            return ConstSeed(value.encode())
        case Plain.PUBKEY if isinstance(value, str):
            return _key(value)
        case _ if isinstance(value, list) and all(type(one) is int and 0 <= one <= 255 for one in value):
            return ConstSeed(bytes(value))
    return UnknownSeed("a constant seed of another type")


def _key(text: str) -> Seed:
    try:
        return ConstSeed(bytes(Pubkey.from_string(text)))
    except ValueError:
        return UnknownSeed("a constant seed that is no address")
