"""Accounts whose addresses follow from their names, as every Anchor client fills them in."""

from __future__ import annotations

from collections.abc import Mapping

from solders.pubkey import Pubkey

from chain.decode.idl.model import AccountItem, Idl, Instruction
from chain.decode.idl.names import same_name

# By `same_name`, which takes both spellings.
WELL_KNOWN: Mapping[str, str] = {
    "systemprogram": "11111111111111111111111111111111",
    "tokenprogram": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    "associatedtokenprogram": "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL",
    "rent": "SysvarRent111111111111111111111111111111111",
}
_EVENT_AUTHORITY, _PROGRAM = "eventauthority", "program"
_EVENT_AUTHORITY_SEED = b"__event_authority"


def event_pair_address(idl: Idl, instruction: Instruction, item: AccountItem) -> str | None:
    """The address of one of Anchor's pair `event_authority`, `program`, by which a program calls itself with an event.

    None for anything else, also where the two do not stand side by side: `program` alone may be anything.
    """
    place = instruction.accounts.index(item)
    is_program = same_name(item.name) == _PROGRAM
    first = place - 1 if is_program else place
    pair = instruction.accounts[max(first, 0) : first + 2]
    if [same_name(one.name) for one in pair] != [_EVENT_AUTHORITY, _PROGRAM]:
        return None
    if is_program:
        return idl.program_id
    program = Pubkey.from_string(idl.program_id)
    return str(Pubkey.find_program_address([_EVENT_AUTHORITY_SEED], program)[0])
