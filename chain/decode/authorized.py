"""Which token accounts somebody's signature takes from. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from chain.decode import token
from chain.decode.base import Decoded, Instruction

_TAKING = frozenset({"transfer", "transferChecked", "transferCheckedWithFee", "burn", "burnChecked", "closeAccount"})


def taken_from(instructions: Iterable[Instruction], authority: str) -> frozenset[str]:
    """The accounts of those token instructions that move or close something by this authority: as owner, delegate,
    close authority or permanent delegate."""
    found: set[str] = set()
    for one in instructions:
        told = token.decode(one) if one.program_id in token.PROGRAMS else None
        if isinstance(told, Decoded) and told.name in _TAKING:
            by = told.values.get("owner" if told.name == "closeAccount" else "authority")
            if by == authority:
                found.add(told.values.get("source") or told.values["account"])
    return frozenset(found)
