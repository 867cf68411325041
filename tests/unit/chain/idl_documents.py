"""IDL documents for tests: written by hand, in both formats, with what is tricky in each."""

from __future__ import annotations

from typing import Any

PROGRAM = "Vote111111111111111111111111111111111111111"
ALICE = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"
BOB = "9B5XszUGdMaxCZ7uSQhPzdks5ZQSmWxrmzCSvtJ6Ns6g"


def new_format(**parts: Any) -> dict[str, Any]:
    """A document of spec 0.1.0."""
    return {"address": PROGRAM, "metadata": {"name": "shop", "spec": "0.1.0"}, "instructions": [], **parts}


def taking(kind: Any, *types: dict[str, Any]) -> dict[str, Any]:
    """A document with one instruction `go`, discriminator 7, whose argument `value` is of the type."""
    go = {"name": "go", "discriminator": [7], "accounts": [], "args": [{"name": "value", "type": kind}]}
    event = {"name": "Told", "discriminator": [9]}
    told = {"name": "Told", "type": {"kind": "struct", "fields": [{"name": "value", "type": kind}]}}
    return new_format(instructions=[go], events=[event], types=[told, *types])


def struct(name: str, *fields: Any, **more: Any) -> dict[str, Any]:
    """A type definition; a field is a pair of name and type, or in a tuple struct a type."""
    named = [{"name": one[0], "type": one[1]} if isinstance(one, tuple) else one for one in fields]
    return {"name": name, "type": {"kind": "struct", "fields": named}, **more}


def enum(name: str, *variants: Any) -> dict[str, Any]:
    """A type definition; a variant is its name, or a pair of name and fields."""
    listed = [
        {"name": one}
        if isinstance(one, str)
        else {"name": one[0], "fields": [{"name": f[0], "type": f[1]} if isinstance(f, tuple) else f for f in one[1]]}
        for one in variants
    ]
    return {"name": name, "type": {"kind": "enum", "variants": listed}}
